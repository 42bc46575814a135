# CMake's toolchain file for programs on the board @BOARD@:
#     cmake -B build -DCMAKE_TOOLCHAIN_FILE=<this file>
# An executable is then an ELF file that boots.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR @BOARD@)
set(CMAKE_C_COMPILER @CROSS@gcc)
set(CMAKE_C_FLAGS_INIT "-B${CMAKE_CURRENT_LIST_DIR}/ --specs=inflight.specs")
set(CMAKE_ASM_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
set(CMAKE_EXECUTABLE_SUFFIX_C ".elf")
# project() asks for C++ unless told not to; the compiler is there, its library is not.
set(CMAKE_CXX_COMPILER @CROSS@g++)
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
set(CMAKE_CXX_COMPILER_WORKS TRUE)
set(CMAKE_EXECUTABLE_SUFFIX_CXX ".elf")
# Headers and libraries of the machine that compiles are none of the board's.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_CURRENT_LIST_DIR})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
