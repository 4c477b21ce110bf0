/* The C peer: an epoll echo server with nothing in it that an echo does not need.
 *
 * One recv, one send; what the kernel does not take waits for EPOLLOUT, and nothing is read meanwhile. It is what a
 * loop can cost at least on this kernel. Prints "listening on 127.0.0.1:PORT" and serves until it is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 65536, EVENTS = 256, BACKLOG = 1024 };

struct connection {
    int fd;
    char *unsent; /* what the kernel did not take, NULL if nothing */
    size_t length, sent;
};

static int epoll;
static char chunk[CHUNK];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(struct connection *connection, int how, unsigned interest) {
    struct epoll_event event = {.events = interest, .data.ptr = connection};
    if (epoll_ctl(epoll, how, connection->fd, &event) < 0) fail("epoll_ctl");
}

static void lose(struct connection *connection) {
    close(connection->fd);
    free(connection->unsent);
    free(connection);
}

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
    if (errno != EAGAIN) fail("accept4");
}

/* Each returns 0 where the connection is over. */
static int readable(struct connection *connection) {
    ssize_t received = recv(connection->fd, chunk, CHUNK, 0);
    if (received <= 0) return received < 0 && errno == EAGAIN;
    ssize_t sent = send(connection->fd, chunk, received, MSG_NOSIGNAL);
    if (sent == received) return 1;
    if (sent < 0 && errno != EAGAIN) return 0;
    if (sent < 0) sent = 0;
    connection->length = received - sent;
    connection->sent = 0;
    connection->unsent = malloc(connection->length);
    memcpy(connection->unsent, chunk + sent, connection->length);
    watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
    return 1;
}

static int writable(struct connection *connection) {
    size_t left = connection->length - connection->sent;
    ssize_t sent = send(connection->fd, connection->unsent + connection->sent, left, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection->sent += sent;
    if (connection->sent < connection->length) return 1;
    free(connection->unsent);
    connection->unsent = NULL;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN);
    return 1;
}

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, BACKLOG) < 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    struct connection waiting = {.fd = listener};
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(&waiting, EPOLL_CTL_ADD, EPOLLIN);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == &waiting)
                accept_all(listener);
            else if (!(connection->unsent ? writable(connection) : readable(connection)))
                lose(connection);
        }
    }
}
