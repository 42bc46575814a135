// Addresses of AF_UNIX. No socket here has one: struct sockaddr_un is for programs that mention it.
#pragma once

#include <sys/socket.h>

struct sockaddr_un {
    sa_family_t sun_family;
    char sun_path[108];
};
