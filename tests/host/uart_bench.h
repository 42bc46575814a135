// What every UART's driver has to do, whatever its chip: tests over the model that a suite brings.
#pragma once

#include <string.h>

#include "drivers/device.h"
#include "tests/host/fake/irq_lines.h"
#include "tests/host/fake/requests.h"
#include "tests/tap.h"

struct uart_bench {
    const struct driver *driver;
    const struct hardware *hardware;
    bool (*line_high)(void);
    bool (*is_quiet)(void);             // The chip would raise no interrupt.
    void (*receive)(const char *bytes); // With a trigger level of 8, in a FIFO of 16.
    void (*time_passes)(void);          // As long as the receiver waits with fewer bytes.
};

// Takes interrupts and deferred work until neither is left. Result: interrupts taken.
static inline unsigned bench_run(const struct uart_bench *bench)
{
    return fake_settle(bench->hardware->irqs[0], bench->line_high);
}

static inline void bench_submit(const struct uart_bench *bench, struct io_request *request,
                                enum io_op op, const void *buffer, size_t size)
{
    *request = (struct io_request){ 0 };
    fake_submit(device_find(bench->hardware->name), request, op, buffer, size);
}

static inline void test_failing_start(const struct uart_bench *bench)
{
    struct hardware hardware = *bench->hardware;
    unsigned irq = hardware.irqs[0];
    hardware.clock_hz = 1000;
    tap_equal(bench->driver->start(&hardware), -EINVAL, "test_impossible_clock_is_einval");
    hardware.clock_hz = 0;
    fake_line_taken(irq);
    tap_equal(bench->driver->start(&hardware), -EBUSY, "test_interrupt_in_use_is_reported");
    fake_line_free(irq);
    tap_ok(bench->is_quiet() && !fake_lines[irq].enabled, "test_failed_start_leaves_it_quiet");
    tap_ok(device_find(hardware.name) == NULL, "test_failed_start_registers_nothing");
}

static inline void test_receive(const struct uart_bench *bench)
{
    struct io_request request = { 0 };
    char buffer[64] = { 0 };
    bench_submit(bench, &request, IO_READ, buffer, sizeof buffer);
    bench->receive("abcdefgh");
    tap_equal(bench_run(bench), 1, "test_trigger_level_causes_one_interrupt");
    tap_ok(request.result == 8 && memcmp(buffer, "abcdefgh", 8) == 0,
           "test_trigger_level_delivers");
    bench_submit(bench, &request, IO_READ, buffer, sizeof buffer);
    bench->receive("xy");
    tap_equal(bench_run(bench), 0, "test_few_bytes_wait_for_the_timeout");
    bench->time_passes();
    tap_equal(bench_run(bench), 1, "test_timeout_causes_one_interrupt");
    tap_ok(request.result == 2 && memcmp(buffer, "xy", 2) == 0, "test_timeout_delivers");
}
