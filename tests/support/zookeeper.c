#include "support/zookeeper.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS         60000 /* a JVM on a busy machine */
#define ANSWER_MS        20000
#define PROBE_MS         250 /* a starting server accepts, and forgets what was asked */
#define PAUSE_NS         10000000
#define DUMP_SIZE        65536
#define MESSAGE_SIZE     4096

#define OP_CREATE        1
#define OP_DELETE        2
#define OP_CLOSE_SESSION (-11)

static void die(const char *what)
{
    fprintf(stderr, "zookeeper: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Between two looks at another process, which has no event to wait on. */
static void pause_briefly(void)
{
    static const struct timespec pause = {0, PAUSE_NS};

    nanosleep(&pause, NULL);
}

static void run(const char *const *argv)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        die(argv[0]);
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        die("cannot find a free port");
    close(fd);
    return ntohs(address.sin_port);
}

static void write_config(const struct zk_server *server)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/zoo.cfg", server->dir);
    file = fopen(path, "w");
    if (!file)
        die(path);
    fprintf(file,
            "dataDir=%s/data\nclientPort=%u\nclientPortAddress=127.0.0.1\ntickTime=%u\n"
            "admin.enableServer=false\n4lw.commands.whitelist=*\nmaxClientCnxns=0\n",
            server->dir, (unsigned)server->port, (unsigned)server->tick_ms);
    fclose(file);
}

static void exec_server(const struct zk_server *server)
{
    char config[128], log[128];
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(config, sizeof(config), "%s/zoo.cfg", server->dir);
    snprintf(log, sizeof(log), "%s/log", server->dir);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execlp("java", "java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
           "-Dzookeeper.jmx.log4j.disable=true", "-Dzookeeper.forceSync=no",
           "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
           "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar",
           "org.apache.zookeeper.server.quorum.QuorumPeerMain", config, (char *)NULL);
    _exit(127);
}

static int dial(const struct zk_server *server, uint32_t limit_ms)
{
    const struct timeval limit = {limit_ms / 1000, limit_ms % 1000 * 1000};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A four-letter word's answer; empty when the server does not listen. */
static void ask(const struct zk_server *server, const char *word, uint32_t limit_ms, char *ret_text,
                size_t size)
{
    size_t used = 0;
    int fd = dial(server, limit_ms);

    ret_text[0] = '\0';
    if (fd < 0)
        return;
    if (send(fd, word, 4, MSG_NOSIGNAL) == 4) {
        ssize_t got;

        while (used < size - 1 && (got = recv(fd, ret_text + used, size - 1 - used, 0)) > 0)
            used += (size_t)got;
    }
    ret_text[used] = '\0';
    close(fd);
}

static void launch(struct zk_server *server)
{
    uint64_t until_ms = now_ms() + READY_MS;
    char text[4096];

    server->pid = fork();
    if (server->pid == 0)
        exec_server(server);
    if (server->pid < 0)
        die("fork");
    while (now_ms() < until_ms) {
        int status;

        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            printf("skipped: no ZooKeeper server here; needs default-jre-headless, "
                   "libzookeeper-java, libslf4j-java\n");
            exit(TEST_SKIPPED);
        }
        ask(server, "srvr", PROBE_MS, text, sizeof(text));
        if (strstr(text, "Mode:"))
            return;
        pause_briefly();
    }
    fprintf(stderr, "zookeeper: the server on port %u does not come up\n", (unsigned)server->port);
    exit(1);
}

void zk_server_start(struct zk_server *server, uint32_t tick_ms)
{
    memset(server, 0, sizeof(*server));
    server->tick_ms = tick_ms;
    server->port = free_port();
    snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", (unsigned)server->port);
    snprintf(server->dir, sizeof(server->dir), "/tmp/settle-zk-XXXXXX");
    if (!mkdtemp(server->dir))
        die("mkdtemp");
    write_config(server);
    launch(server);
}

void zk_server_kill(struct zk_server *server)
{
    int status;

    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, &status, 0);
    server->pid = 0;
}

void zk_server_stop(struct zk_server *server)
{
    const char *argv[] = {"rm", "-rf", server->dir, NULL};

    zk_server_kill(server);
    if (server->dir[0])
        run(argv);
    server->dir[0] = '\0';
}

void zk_server_pause(struct zk_server *server)
{
    kill(server->pid, SIGSTOP);
}

void zk_server_continue(struct zk_server *server)
{
    kill(server->pid, SIGCONT);
}

void zk_server_restart(struct zk_server *server)
{
    launch(server);
}

static void copy(struct zk_server *server, const char *from, const char *to)
{
    char source[128], target[128];
    const char *remove[] = {"rm", "-rf", target, NULL};
    const char *copy[] = {"cp", "-a", source, target, NULL};

    snprintf(source, sizeof(source), "%s/%s", server->dir, from);
    snprintf(target, sizeof(target), "%s/%s", server->dir, to);
    run(remove);
    run(copy);
}

void zk_server_save(struct zk_server *server)
{
    copy(server, "data", "saved");
}

void zk_server_restore(struct zk_server *server)
{
    copy(server, "saved", "data");
}

/* In "dump", a session stands in a line "0x...:", its nodes in the lines below. */
int64_t zk_server_owner(struct zk_server *server, const char *path)
{
    char text[DUMP_SIZE];
    int64_t session = 0;

    ask(server, "dump", ANSWER_MS, text, sizeof(text));
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');

        if (end)
            *end++ = '\0';
        line += strspn(line, " \t");
        if (strncmp(line, "0x", 2) == 0)
            session = (int64_t)strtoull(line, NULL, 16);
        else if (strcmp(line, path) == 0)
            return session;
        line = end;
    }
    return 0;
}

unsigned zk_server_count(struct zk_server *server, const char *below)
{
    char text[DUMP_SIZE];
    unsigned count = 0;
    const char *at = text;

    ask(server, "dump", ANSWER_MS, text, sizeof(text));
    while ((at = strstr(at, below)) != NULL) {
        at += strlen(below);
        count += *at == '/';
    }
    return count;
}

/* A message of the protocol, written and read front to back. */
struct message {
    uint8_t bytes[MESSAGE_SIZE];
    size_t size, at;
};

static void put_bytes(struct message *message, const void *bytes, size_t size)
{
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void put_int(struct message *message, int32_t value)
{
    uint32_t big = htobe32((uint32_t)value);

    put_bytes(message, &big, sizeof(big));
}

static void put_long(struct message *message, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    put_bytes(message, &big, sizeof(big));
}

static void put_text(struct message *message, const char *text)
{
    put_int(message, (int32_t)strlen(text));
    put_bytes(message, text, strlen(text));
}

/* In one piece: TCP would hold the second part back until the first is acknowledged. */
static bool transmit(int fd, const struct message *message)
{
    uint8_t bytes[4 + MESSAGE_SIZE];
    uint32_t size = htobe32((uint32_t)message->size);

    memcpy(bytes, &size, sizeof(size));
    memcpy(bytes + sizeof(size), message->bytes, message->size);
    return send(fd, bytes, sizeof(size) + message->size, MSG_NOSIGNAL) ==
           (ssize_t)(sizeof(size) + message->size);
}

static bool receive(int fd, struct message *message)
{
    uint32_t size;

    memset(message, 0, sizeof(*message));
    if (recv(fd, &size, sizeof(size), MSG_WAITALL) != (ssize_t)sizeof(size))
        return false;
    message->size = be32toh(size);
    if (message->size > sizeof(message->bytes))
        return false;
    return recv(fd, message->bytes, message->size, MSG_WAITALL) == (ssize_t)message->size;
}

/*
 * The server derives a session's password from its id alone: java.util.Random, seeded with the id
 * and a constant, filling 16 bytes (SessionTracker and ZooKeeperServer.generatePasswd).
 */
static void session_password(int64_t session, uint8_t password[16])
{
    const uint64_t mask = (1ull << 48) - 1;
    uint64_t seed = (((uint64_t)session ^ 0xB3415C00ull) ^ 0x5DEECE66Dull) & mask;

    for (int i = 0; i < 16; i += 4) {
        uint32_t word;

        seed = (seed * 0x5DEECE66Dull + 0xB) & mask;
        word = (uint32_t)(seed >> 16);
        for (int j = 0; j < 4; j++)
            password[i + j] = (uint8_t)(word >> (8 * j));
    }
}

/* Begin a session, or take one over; -1 when the server does not want that. */
static int raw_open(const struct zk_server *server, int64_t session)
{
    struct message message = {.size = 0};
    uint8_t password[16] = {0};
    int64_t granted = 0;
    int fd = dial(server, ANSWER_MS);

    if (session != 0)
        session_password(session, password);
    put_int(&message, 0);     /* protocol version */
    put_long(&message, 0);    /* last zxid seen */
    put_int(&message, 10000); /* timeout */
    put_long(&message, session);
    put_int(&message, sizeof(password));
    put_bytes(&message, password, sizeof(password));
    if (fd < 0 || !transmit(fd, &message) || !receive(fd, &message)) {
        close(fd);
        return -1;
    }
    memcpy(&granted, message.bytes + 8, sizeof(granted)); /* after version and timeout */
    if (granted == 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Send a request and return the answer's error code. */
static int32_t raw_request(int fd, const struct message *request)
{
    struct message answer;
    int32_t code;

    if (!transmit(fd, request) || !receive(fd, &answer))
        return -1;
    memcpy(&code, answer.bytes + 12, sizeof(code)); /* after xid and zxid */
    return (int32_t)be32toh((uint32_t)code);
}

static void raw_close(int fd)
{
    struct message message = {.size = 0};

    put_int(&message, 1);
    put_int(&message, OP_CLOSE_SESSION);
    raw_request(fd, &message);
    close(fd);
}

void zk_server_expire(struct zk_server *server, int64_t session)
{
    int fd = raw_open(server, session);

    if (fd < 0)
        die("cannot take the session over");
    raw_close(fd);
}

static bool raw_do(struct zk_server *server, const struct message *request)
{
    int fd = raw_open(server, 0);
    int32_t code;

    if (fd < 0)
        return false;
    code = raw_request(fd, request);
    raw_close(fd);
    return code == 0;
}

bool zk_raw_create(struct zk_server *server, const char *path, const char *value)
{
    struct message message = {.size = 0};

    put_int(&message, 1); /* xid */
    put_int(&message, OP_CREATE);
    put_text(&message, path);
    put_text(&message, value);
    put_int(&message, 1);  /* one ACL: */
    put_int(&message, 31); /* all permissions */
    put_text(&message, "world");
    put_text(&message, "anyone");
    put_int(&message, 0); /* persistent */
    return raw_do(server, &message);
}

bool zk_raw_remove(struct zk_server *server, const char *path)
{
    struct message message = {.size = 0};

    put_int(&message, 1); /* xid */
    put_int(&message, OP_DELETE);
    put_text(&message, path);
    put_int(&message, -1); /* any version */
    return raw_do(server, &message);
}
