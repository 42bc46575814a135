// Serial ports of a virtio device with a client at the other end that does what it is told
// (tests/target/virtio_serial.clients): connecting, bytes both ways, ends, giving up, holding back.
// serial-ports: 2
// virtio: -device virtio-serial-device,id=second,max_ports=2 -chardev null,id=null
// virtio: -device virtserialport,bus=second.0,nr=1,chardev=null
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aio/core.h"
#include "tests/tap.h"
#include "tests/target/board_find.h"

enum { MUCH = 1000003, PIECE = 3001, FEW = 500 };

static int control; // The client's orders and answers.
static char answer[64];
static uint8_t memory[MUCH], back[MUCH];
static struct device *port;
static struct io_request request;

// Gives an order to the client. Result: its answer.
__attribute__((format(printf, 1, 2))) static const char *tell(const char *format, ...)
{
    char line[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    size_t length = 0;
    bool sent = write(control, line, strlen(line)) == (ssize_t)strlen(line);
    while (sent && length < sizeof answer - 1 && (length == 0 || answer[length - 1] != '\n'))
        sent = read(control, &answer[length++], 1) == 1;
    answer[length > 0 ? length - 1 : 0] = '\0';
    return sent ? answer : "nothing";
}

static bool does(const char *order)
{
    bool right = strcmp(tell("%s", order), "ok") == 0;
    if (!right)
        tap_note("%s: %s", order, answer);
    return right;
}

static int submit(enum io_op op, void *buffer, size_t size)
{
    memset(&request, 0, sizeof request);
    request.op = op;
    request.buffer = buffer;
    request.size = size;
    return io_submit(port, &request);
}

static uint8_t byte_at(size_t place)
{
    return (uint8_t)(place * 7 % 251);
}

static bool is_pattern(const uint8_t *bytes, size_t place, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte_at(place + i))
            return false;
    return true;
}

// Result: errno of an open().
static int open_error(const char *path)
{
    errno = 0;
    return open(path, O_RDWR) < 0 ? errno : 0;
}

static void test_ports(void)
{
    tap_equal(open_error("/dev/vport0p1"), 0, "test_an_announced_port_opens");
    tap_equal(open_error("/dev/vport0p0"), ENXIO, "test_a_port_that_is_not_announced_is_enxio");
    tap_equal(open_error("/dev/vport0p7"), ENOENT, "test_one_that_cannot_be_is_enoent");
    tap_equal(open_error("/dev/vport1p1"), 0, "test_a_second_device_has_names_of_its_own");
    tap_ok(port->serial && strcmp(port->serial, "port.2") == 0,
           "test_a_port_knows_what_the_host_calls_it");
}

static void test_connecting(int fd)
{
    tap_ok(submit(IO_READ, back, PIECE) == 0 && io_in_flight(&request),
           "test_a_read_waits_while_nobody_is_connected");
    tap_ok(does("connect 2") && io_in_flight(&request), "test_and_while_nobody_speaks");
    tap_ok(does("send 2 500") && io_wait(&request) == FEW && is_pattern(back, 0, FEW),
           "test_it_ends_with_what_has_arrived");
    tap_ok(write(fd, memory, FEW) == FEW && does("expect 2 500"), "test_the_client_gets_a_write");
}

static void test_giving_up(void)
{
    submit(IO_READ, back, PIECE);
    memset(back, 0x5a, PIECE);
    tap_ok(io_cancel(&request) == 0 && io_wait(&request) == -ECANCELED,
           "test_a_blocked_read_can_be_cancelled");
    memset(&request, 0, sizeof request);
    request = (struct io_request){ .op = IO_READ, .buffer = back, .size = PIECE };
    io_set_deadline(&request, clock_now_ns() + 1000000);
    tap_ok(io_submit(port, &request) == 0 && io_wait(&request) == -ETIMEDOUT,
           "test_and_times_out_at_its_deadline");
    tap_ok(does("send 2 500") && back[0] == 0x5a, "test_its_buffer_is_the_owners_again");
    submit(IO_READ, back, PIECE);
    tap_ok(io_wait(&request) == FEW && is_pattern(back, FEW, FEW),
           "test_what_comes_afterwards_is_the_next_ones");
}

// A client that sends more than anybody reads is held back, and nothing is lost.
static void test_flow_control(int fd)
{
    size_t got = 0;
    does("close 2");
    bool ended = read(fd, back, PIECE) == 0;
    does("connect 2");
    tap_ok(ended && does("send 2 1000003") && atol(tell("left 2")) > 0,
           "test_a_client_is_held_back_while_nobody_reads");
    for (size_t piece = 1; got < MUCH; piece = piece * 7 % 5003) {
        ssize_t size = read(fd, back + got, piece < MUCH - got ? piece : MUCH - got);
        if (size <= 0)
            break;
        got += (size_t)size;
    }
    tap_ok(got == MUCH && is_pattern(back, 0, MUCH), "test_all_bytes_arrive_in_order");
    tap_equal(atol(tell("left 2")), 0, "test_then_nothing_is_left");
}

static void test_held_write(void)
{
    submit(IO_WRITE, memory, MUCH);
    tap_equal(io_cancel(&request), -EBUSY, "test_a_started_write_cannot_be_cancelled");
    tap_ok(io_in_flight(&request), "test_it_waits_for_a_client_that_does_not_read");
    tap_ok(does("expect 2 1000003") && io_wait(&request) == MUCH,
           "test_and_ends_when_all_has_been_taken");
}

static void test_nonblocking(void)
{
    int fd = open("/dev/vport0p2", O_RDWR | O_NONBLOCK);
    ssize_t size = 0, sent = 0;
    tap_ok(read(fd, back, PIECE) == -1 && errno == EAGAIN, "test_a_read_of_nothing_is_eagain");
    // Where the pattern goes on behind what has been written on this connection.
    const uint8_t *from = memory + MUCH % 251;
    while ((size = write(fd, from + sent, 100000)) > 0 && sent < MUCH / 2)
        sent += size;
    tap_ok(size == -1 && errno == EAGAIN && sent > 0,
           "test_writes_are_eagain_once_the_client_is_full");
    struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT };
    tap_ok(poll(&entry, 1, 0) == 0, "test_and_poll_says_so");
    tap_ok(strcmp(tell("expect 2 %ld", (long)sent), "ok") == 0, "test_what_was_taken_arrives");
    tap_ok(poll(&entry, 1, -1) == 1 && entry.revents == POLLOUT, "test_then_there_is_room");
    tap_equal(fsync(fd), 0, "test_a_flush_ends");
    close(fd);
}

// The client connects, and we know of it: a byte of its has come.
static bool reconnect(int fd)
{
    return does("connect 2") && does("send 2 1") && read(fd, back, 1) == 1;
}

static void test_ends(int fd)
{
    struct pollfd entry = { .fd = fd, .events = POLLIN };
    submit(IO_READ, back, PIECE);
    tap_ok(does("close 2") && io_wait(&request) == 0, "test_a_read_that_waits_gets_the_end");
    tap_ok(write(fd, memory, 1) == -1 && errno == EPIPE, "test_writes_are_epipe");
    tap_ok(reconnect(fd) && write(fd, memory, FEW) == FEW && does("expect 2 500"),
           "test_a_later_connection_works");
    // The sending side only: QEMU reads what is left, and then hangs up.
    tap_ok(does("send 2 2000") && does("shut 2") && read(fd, back, MUCH) > 0, "test_last_words");
    size_t got = 0;
    ssize_t size;
    while ((size = read(fd, back, PIECE)) > 0)
        got += (size_t)size;
    tap_ok(size == 0 && got < 2000, "test_come_before_the_end");
    does("close 2");
    does("connect 2");
    does("close 2");
    tap_ok(poll(&entry, 1, -1) == 1 && entry.revents == (POLLIN | POLLHUP),
           "test_a_client_that_has_gone_is_pollhup");
    tap_equal(read(fd, back, PIECE), 0, "test_its_end_can_be_read");
}

// The client goes while a write of ours waits for it.
static void test_abandoned_write(int fd)
{
    bool connected = reconnect(fd);
    submit(IO_WRITE, memory, MUCH);
    tap_ok(connected && io_in_flight(&request) && does("close 2") && io_wait(&request) == -EPIPE,
           "test_a_write_that_its_client_abandons_is_epipe");
    tap_equal(read(fd, back, PIECE), 0, "test_and_a_read_gets_the_end");
}

int main(void)
{
    tap_plan(35);
    if (!board_find("virtio"))
        return tap_skip_rest("this board has no virtio");
    port = device_find("vport0p2");
    control = open("/dev/vport0p1", O_RDWR);
    int fd = open("/dev/vport0p2", O_RDWR);
    if (!tap_ok(port && control >= 0 && fd >= 0, "test_two_ports_are_open"))
        return tap_done();
    for (size_t i = 0; i < MUCH; i++)
        memory[i] = byte_at(i);
    test_ports();
    test_connecting(fd);
    test_giving_up();
    test_flow_control(fd);
    test_held_write();
    test_nonblocking();
    test_ends(fd);
    test_abandoned_write(fd);
    return tap_done();
}
