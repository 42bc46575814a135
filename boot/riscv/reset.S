// Where harts come out of reset that do not begin in RAM (linker.ld, __reset_start): on to the
// image. On a PolarFire SoC that is the start of the eNVM, by a reset vector in its system
// controller's settings; QEMU has the same.
    .section .reset, "ax"
    .global reset
    .type   reset, %function
reset:
    la      t0, _start
    jr      t0
