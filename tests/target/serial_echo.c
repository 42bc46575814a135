// Three clients on three serial ports, echoed by one program that never polls: each port is a chain
// of callbacks, read, write, read again, while main computes. A client checks what comes back
// (tests/target/serial_echo.clients), goes, and comes once more.
// serial-ports: 3
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { PORTS = 3, CONNECTIONS = 2, BYTES = 200003, BUFFER = 3001 };

static struct port {
    struct aiocb block;
    unsigned long echoed;
    unsigned ends;
    int error;
    char buffer[BUFFER];
} ports[PORTS];

static volatile unsigned finished; // Ports that are through.

static void on_read(union sigval value);
static void on_written(union sigval value);

static void start(struct port *port, int (*operation)(struct aiocb *), size_t size,
                  void (*next)(union sigval))
{
    port->block.aio_nbytes = size;
    port->block.aio_sigevent.sigev_notify_function = next;
    if (operation(&port->block) != 0) {
        port->error = errno;
        finished++;
    }
}

static void on_read(union sigval value)
{
    struct port *port = value.sival_ptr;
    ssize_t size = aio_return(&port->block);
    if (size > 0) {
        port->echoed += (unsigned long)size;
        start(port, aio_write, (size_t)size, on_written);
    } else if (size == 0 && ++port->ends < CONNECTIONS) {
        start(port, aio_read, BUFFER, on_read); // Ends when the client is back.
    } else {
        port->error = size < 0 ? errno : 0;
        finished++;
    }
}

// What a write leaves over is written next.
static void on_written(union sigval value)
{
    struct port *port = value.sival_ptr;
    ssize_t size = aio_return(&port->block);
    if (size == (ssize_t)port->block.aio_nbytes) {
        start(port, aio_read, BUFFER, on_read);
    } else {
        port->error = size < 0 ? errno : EIO;
        finished++;
    }
}

static bool open_port(unsigned number)
{
    struct port *port = &ports[number];
    char path[] = "/dev/vport0p1";
    path[sizeof path - 2] = (char)('1' + number);
    port->block.aio_fildes = open(path, O_RDWR);
    port->block.aio_buf = port->buffer;
    port->block.aio_sigevent.sigev_notify = SIGEV_THREAD;
    port->block.aio_sigevent.sigev_value.sival_ptr = port;
    return port->block.aio_fildes >= 0;
}

// Result: always the same.
static unsigned compute(void)
{
    unsigned value = 1;
    for (unsigned i = 0; i < 100000; i++)
        value = value * 1664525 + 1013904223;
    return value;
}

int main(void)
{
    unsigned rounds = 0, wrong = 0;

    tap_plan(3 * PORTS + 2);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    for (unsigned i = 0; i < PORTS; i++)
        tap_ok(open_port(i), "test_a_port_opens");
    unsigned expected = compute();
    for (unsigned i = 0; i < PORTS; i++)
        start(&ports[i], aio_read, BUFFER, on_read);
    for (; finished < PORTS; rounds++)
        wrong += compute() != expected;
    for (unsigned i = 0; i < PORTS; i++) {
        tap_equal(ports[i].error, 0, "test_no_request_of_a_port_fails");
        tap_equal((long long)ports[i].echoed, CONNECTIONS * (BYTES + i + 1),
                  "test_all_bytes_of_both_connections_are_echoed");
    }
    tap_ok(rounds > 0, "test_main_computes_meanwhile");
    tap_equal(wrong, 0, "test_and_nothing_disturbs_it");
    tap_note("%u rounds of main's", rounds);
    return tap_done();
}
