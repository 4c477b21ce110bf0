/* The load generator: real connections to an echo server, and the CPU time the server took for them.
 *
 *   load echo  port=P pid=SERVER connections=N size=BYTES flight=F (messages=M | seconds=S) [warm=W] [together=1]
 *   load paced port=P pid=SERVER connections=N size=BYTES rate=R messages=M [warm=W]
 *   load http  port=P pid=SERVER connections=N reply=BYTES (messages=M | seconds=S) [warm=W]
 *   load storm port=P pid=SERVER connections=N burst=B
 *   load udp   port=P pid=SERVER connections=N size=BYTES flight=F messages=M [warm=W]
 *
 * echo: each connection keeps F messages of BYTES in flight, one send call each, or one for all that may be sent;
 * W messages go first, not counted.
 * Compiled with -DTLS (and -lssl -lcrypto), echo and paced speak TLS and believe any certificate; handshakes are not
 * counted.
 * paced: R messages a second on each connection, whether answers have come or not, evenly spread over all of them.
 * A message's latency is counted from when it was due, so an answer that is late does not hide that others waited.
 * http: the same with a GET of / as the message; each answer is BYTES long, whatever is in it.
 * storm: N connections, B at a time, first opened, then closed by us. Opened means the server has accepted them: the
 * last of a burst gets one byte echoed, and connections are accepted in order. Closed means the server has closed too.
 *
 * udp: the same as echo with datagrams, a socket a client; one that is lost ends it after ten seconds.
 *
 * One line of JSON on stdout. The server's CPU is its process CPU clock, user and system, all threads; seconds. It is
 * read while the server sleeps: for a process that runs on another core, the clock is as old as the last tick there,
 * and some milliseconds of one phase would be counted in the next.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <fcntl.h>
#include <openssl/ssl.h>
#endif

enum { BUFFER = 1 << 18, EVENTS = 256 };

struct connection {
    int fd, blocked;
#ifdef TLS
    SSL *ssl;
#endif
    long begun;          /* messages */
    long sent, received; /* bytes */
};

struct moment {
    double wall, cpu; /* seconds; cpu is the server's */
};

static long port, pid, connections = 100, size = 64, flight = 1, messages, seconds, warm = -1, burst = 100, together;
static long rate;  /* messages a second on each connection, when paced */
static long reply; /* bytes of an answer; 0: a message comes back as it went */
static char buffer[BUFFER], *message;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static double read_clock(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) < 0) fail("clock_gettime");
    return now.tv_sec + now.tv_nsec / 1e9;
}

static int asleep(void) {
    char path[64], text[512], *end;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) fail("no such server process");
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    return (end = strrchr(text, ')')) && end[2] == 'S';
}

/* Now, or as soon as the server has nothing more to do. */
static struct moment now(void) {
    struct timespec little = {0, 50000};
    clockid_t server;
    if (clock_getcpuclockid(pid, &server)) fail("no such server process");
    double wall = read_clock(CLOCK_MONOTONIC), before = -1, cpu = read_clock(server);
    while (!asleep() || cpu != before) {
        if (read_clock(CLOCK_MONOTONIC) > wall + 5) errno = 0, fail("the server never rests");
        nanosleep(&little, NULL);
        before = cpu;
        cpu = read_clock(server);
    }
    return (struct moment){wall, cpu};
}

static int open_connection(void) {
    struct sockaddr_in address = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Ends our side, then reads until the server has ended its own: no work is left over for whoever is measured next.
 * Returns how many the server has not ended within two seconds (rloop 0.5 never does). */
static long close_all(const int *fds, long count) {
    struct timeval patience = {2, 0};
    long deaf = 0;
    for (long i = 0; i < count; i++) shutdown(fds[i], SHUT_WR);
    for (long i = 0; i < count; i++) {
        ssize_t received;
        setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        while ((received = recv(fds[i], buffer, BUFFER, deaf ? MSG_DONTWAIT : 0)) > 0) {}
        if (received < 0) deaf++;
        close(fds[i]);
    }
    return deaf;
}

/* ---- echo ---- */

static long begun, most; /* messages, of all connections */

static long answer(void) { return reply ? reply : size; }

#ifdef TLS
static SSL_CTX *context;

static void speak(struct connection *connection) {
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    connection->ssl = SSL_new(context);
    SSL_set_fd(connection->ssl, connection->fd);
    if (SSL_connect(connection->ssl) != 1) fail("the TLS handshake");
    fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
}

/* As send and recv: -1 and EAGAIN if it is to be tried again. */
static ssize_t outcome(struct connection *connection, int result) {
    if (result > 0) return result;
    int error = SSL_get_error(connection->ssl, result);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static ssize_t put(struct connection *connection, const void *data, size_t size) {
    return outcome(connection, SSL_write(connection->ssl, data, size));
}

static ssize_t get(struct connection *connection, void *data, size_t size) {
    return outcome(connection, SSL_read(connection->ssl, data, size));
}

static int more(struct connection *connection) { return SSL_pending(connection->ssl) > 0; }
#else
static void speak(struct connection *connection) { (void)connection; }

static ssize_t put(struct connection *connection, const void *data, size_t size) {
    return send(connection->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t get(struct connection *connection, void *data, size_t size) {
    return recv(connection->fd, data, size, MSG_DONTWAIT);
}

static int more(struct connection *connection) { return connection->fd < 0; }
#endif

static void fill(int epoll, struct connection *connection) {
    int blocked = 0;
    while (!blocked) {
        if (connection->sent == connection->begun * size) {
            if (begun == most || connection->begun >= connection->received / answer() + flight) break;
            do connection->begun++, begun++;
            while (together && begun < most && connection->begun < connection->received / answer() + flight);
        }
        size_t part = connection->sent % size, left = connection->begun * size - connection->sent;
        if (left > size * (flight + 1) - part) left = size * (flight + 1) - part; /* no more is in `message` */
        ssize_t sent = put(connection, message + part, left);
        if (sent < 0 && errno != EAGAIN) fail("send");
        if (sent > 0) connection->sent += sent;
        blocked = sent < 0;
    }
    if (blocked == connection->blocked) return;
    connection->blocked = blocked;
    struct epoll_event event = {.events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static ssize_t take(struct connection *connection) {
    ssize_t received = get(connection, buffer, BUFFER);
    if (received < 0 && errno == EAGAIN) return 0;
    if (received <= 0) fail("the server ended a connection");
    long owed = reply ? connection->sent / size * reply : connection->sent;
    if (connection->received + received > owed) errno = 0, fail("more came back than was asked for");
    ssize_t part = connection->received % size, same = size - part < received ? size - part : received;
    if (!reply && memcmp(buffer, message + part, same)) errno = 0, fail("other bytes came back than were sent");
    connection->received += received;
    return received;
}

/* Sends `count` messages, or as many as there is time for before `until`, and waits for all to come back. */
static void talk(int epoll, struct connection *all, long count, double until) {
    long echoed = 0; /* bytes */
    begun = 0, most = count;
    for (long i = 0; i < connections; i++) fill(epoll, &all[i]);
    while (echoed < begun * answer()) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, 10000);
        if (ready == 0) errno = ETIMEDOUT;
        if (ready <= 0 && errno != EINTR) fail("waiting for the echo");
        if (until && begun < most && read_clock(CLOCK_MONOTONIC) >= until) most = begun;
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & ~EPOLLOUT)
                do echoed += take(connection);
                while (more(connection));
            fill(epoll, connection);
        }
    }
}

static struct connection *open_all(int epoll) {
    struct connection *all = calloc(connections, sizeof *all);
    for (long i = 0; i < connections; i++) {
        all[i].fd = open_connection();
        speak(&all[i]);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    return all;
}

static void close_those(const struct connection *all) {
    int *fds = calloc(connections, sizeof *fds);
    for (long i = 0; i < connections; i++) fds[i] = all[i].fd;
    close_all(fds, connections);
}

static void echo(void) {
    int epoll = epoll_create1(0);
    struct connection *all = open_all(epoll);
    talk(epoll, all, warm < 0 ? connections * flight : warm, 0);
    struct moment before = now();
    double began = read_clock(CLOCK_MONOTONIC);
    talk(epoll, all, messages ? messages : LONG_MAX, seconds ? began + seconds : 0);
    struct moment after = now();
    close_those(all);
    printf("{\"messages\": %ld, \"bytes\": %ld, \"seconds\": %.6f, \"cpu\": %.9f}\n", begun, begun * size,
           after.wall - began, after.cpu - before.cpu);
}

/* ---- paced ---- */

/* Until something arrives, or until that moment. */
static void rest(int epoll, double until) {
    double left = until - read_clock(CLOCK_MONOTONIC);
    struct pollfd ready = {epoll, POLLIN, 0};
    struct timespec patience = {left > 0 ? left : 0, 0};
    if (left > 0) patience.tv_nsec = (left - patience.tv_sec) * 1e9;
    if (ppoll(&ready, 1, &patience, NULL) < 0 && errno != EINTR) fail("ppoll");
}

/* Sends `count` messages when they are due, the next one on the next connection; latencies in seconds. */
static void keep_pace(int epoll, struct connection *all, long count, double *latencies) {
    double start = read_clock(CLOCK_MONOTONIC), each = 1.0 / rate / connections, heard = start;
    long echoed = 0; /* messages */
    begun = 0, flight = 0; /* what fill() sends is begun here */
    for (long i = 0; i < connections; i++) all[i].begun = all[i].sent = all[i].received = 0;
    while (echoed < count) {
        for (; begun < count && start + begun * each <= read_clock(CLOCK_MONOTONIC); begun++) {
            all[begun % connections].begun++;
            fill(epoll, &all[begun % connections]);
        }
        rest(epoll, begun < count ? start + begun * each : heard + 10);
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, 0);
        double at = read_clock(CLOCK_MONOTONIC);
        if (ready > 0) heard = at;
        if (at > heard + 10) errno = ETIMEDOUT, fail("waiting for the echo");
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            long before = connection->received / size;
            if (events[i].events & ~EPOLLOUT)
                do take(connection);
                while (more(connection));
            for (; before < connection->received / size; before++)
                latencies[echoed++] = at - (start + (before * connections + (connection - all)) * each);
            fill(epoll, connection);
        }
    }
}

static int compare(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

static void paced(void) {
    int epoll = epoll_create1(0);
    struct connection *all = open_all(epoll);
    if (warm < 0) warm = connections;
    double *latencies = calloc(messages > warm ? messages : warm, sizeof *latencies);
    keep_pace(epoll, all, warm, latencies);
    struct moment before = now();
    double began = read_clock(CLOCK_MONOTONIC);
    keep_pace(epoll, all, messages, latencies);
    double took = read_clock(CLOCK_MONOTONIC) - began;
    struct moment after = now();
    close_those(all);
    qsort(latencies, messages, sizeof *latencies, compare);
    printf("{\"messages\": %ld, \"seconds\": %.6f, \"cpu\": %.9f, \"p50\": %.9f, \"p99\": %.9f, \"p99.9\": %.9f}\n",
           messages, took, after.cpu - before.cpu, latencies[messages / 2], latencies[messages * 99 / 100],
           latencies[messages * 999 / 1000]);
}

/* ---- storm ---- */

static void storm(void) {
    int *fds = calloc(burst, sizeof *fds);
    double accept = 0, ending = 0, began = read_clock(CLOCK_MONOTONIC);
    struct moment closed = now();
    for (long left = connections; left > 0; left -= burst) {
        long count = left < burst ? left : burst;
        for (long i = 0; i < count; i++) fds[i] = open_connection();
        if (send(fds[count - 1], "x", 1, MSG_NOSIGNAL) != 1 || recv(fds[count - 1], buffer, 1, 0) != 1) fail("echo");
        struct moment opened = now();
        accept += opened.cpu - closed.cpu;
        if (close_all(fds, count)) errno = 0, fail("the server does not close");
        closed = now();
        ending += closed.cpu - opened.cpu;
    }
    printf("{\"connections\": %ld, \"seconds\": %.6f, \"accept\": %.9f, \"close\": %.9f}\n", connections,
           closed.wall - began, accept, ending);
}

/* ---- udp ---- */

static int open_datagrams(void) {
    struct sockaddr_in address = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    return fd;
}

/* As many as are not in flight yet. */
static void ask(struct connection *client) {
    while (begun < most && client->begun < client->received + flight) {
        if (send(client->fd, message, size, 0) != size) fail("send");
        client->begun++, begun++;
    }
}

/* Sends `count` messages and waits for all to come back. */
static void exchange(int epoll, struct connection *all, long count) {
    long answered = 0;
    begun = 0, most = count;
    for (long i = 0; i < connections; i++) ask(&all[i]);
    while (answered < count) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, 10000);
        if (ready == 0) errno = ETIMEDOUT;
        if (ready <= 0 && errno != EINTR) fail("waiting for the echo");
        for (int i = 0; i < ready; i++) {
            struct connection *client = events[i].data.ptr;
            ssize_t received;
            while ((received = recv(client->fd, buffer, BUFFER, 0)) >= 0) {
                errno = 0;
                if (received != size || memcmp(buffer, message, size)) fail("another datagram came back than was sent");
                client->received++, answered++;
            }
            if (errno != EAGAIN) fail("recv");
            ask(client);
        }
    }
}

static void udp(void) {
    int epoll = epoll_create1(0);
    struct connection *all = calloc(connections, sizeof *all);
    for (long i = 0; i < connections; i++) {
        all[i].fd = open_datagrams();
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    exchange(epoll, all, warm < 0 ? connections * flight : warm);
    struct moment before = now();
    double began = read_clock(CLOCK_MONOTONIC);
    exchange(epoll, all, messages);
    struct moment after = now();
    printf("{\"messages\": %ld, \"bytes\": %ld, \"seconds\": %.6f, \"cpu\": %.9f}\n", begun, begun * size,
           after.wall - began, after.cpu - before.cpu);
}

static void options(int count, char **arguments) {
    struct { const char *name; long *value; } known[] = {
        {"port", &port}, {"pid", &pid}, {"connections", &connections}, {"size", &size}, {"flight", &flight},
        {"messages", &messages}, {"seconds", &seconds}, {"warm", &warm}, {"burst", &burst},
        {"together", &together}, {"reply", &reply}, {"rate", &rate},
    };
    for (int i = 0; i < count; i++) {
        char *equals = strchr(arguments[i], '=');
        size_t found = 0, all = sizeof known / sizeof *known;
        while (found < all && (!equals || strncmp(arguments[i], known[found].name, equals - arguments[i]) ||
                               known[found].name[equals - arguments[i]])) found++;
        if (found == all) fprintf(stderr, "load: unknown option %s\n", arguments[i]), exit(2);
        *known[found].value = atol(equals + 1);
    }
}

int main(int count, char **arguments) {
    if (count < 2) fprintf(stderr, "usage: load echo|paced|http|storm|udp name=value ...\n"), exit(2);
    options(count - 2, arguments + 2);
    if (connections < 1 || size < 1 || flight < 1 || burst < 1) fprintf(stderr, "load: below 1\n"), exit(2);
    static const char get_root[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int http = !strcmp(arguments[1], "http");
    if (http) size = sizeof get_root - 1;
    if (http != (reply > 0)) fprintf(stderr, "load: http, and only http, needs reply=\n"), exit(2);
    message = malloc(size * (flight + 1)); /* a message, again and again */
    for (long i = 0; i < size * (flight + 1); i++) message[i] = http ? get_root[i % size] : 'a' + i % size % 26;
    if ((http || !strcmp(arguments[1], "echo")) && (messages > 0 || seconds > 0)) echo();
    else if (!strcmp(arguments[1], "paced") && messages > 0 && rate > 0) paced();
    else if (!strcmp(arguments[1], "storm")) storm();
    else if (!strcmp(arguments[1], "udp") && messages > 0) udp();
    else fprintf(stderr, "load: echo and http need messages= or seconds=, udp messages=, paced also rate=\n"), exit(2);
    return 0;
}
