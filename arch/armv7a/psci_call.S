// The PSCI call in ARM state: a hypervisor call with the function's number in r0 (SMC calling
// convention, ARM DEN 0028). A CPU without virtualization extensions treats it as undefined.
    .syntax unified
    .arm
    .arch_extension virt
    .section .text.psci_call, "ax"
    .global psci_call
    .type psci_call, %function
psci_call:
    hvc     #0                  // Preserves all but r0 … r3, as a function does.
    bx      lr
