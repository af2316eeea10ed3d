#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_SIZE 256 /* a name of 253 characters, RFC 1035, and the NUL */

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((struct address *)0)->bytes),
               "an IPv6 address fits");

/* A port: 1 to 5 digits, at most 65535. */
static bool parse_port(uint16_t *ret_port, const char *text)
{
    uint32_t port = 0;
    size_t length = strspn(text, "0123456789");

    if (length == 0 || length > 5 || text[length] != '\0')
        return false;
    for (size_t i = 0; i < length; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    if (port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* Cut "host:port" or "[host]:port" into its two parts. */
static int split(const char *text, char host[HOST_SIZE], uint16_t *ret_port, struct err *err)
{
    const char *colon = strrchr(text, ':');
    const char *first = text, *end = colon;

    if (!colon)
        return err_set(err, ERR_USAGE, "address '%s' has no port; write it as HOST:PORT", text);
    if (!parse_port(ret_port, colon + 1))
        return err_set(err, ERR_USAGE, "address '%s': the port must be a number from 0 to 65535",
                       text);
    if (*first == '[') {
        first++;
        if (end == first || end[-1] != ']')
            return err_set(err, ERR_USAGE, "address '%s': the ']' is missing before the port",
                           text);
        end--;
    } else if (memchr(first, ':', (size_t)(end - first))) {
        return err_set(err, ERR_USAGE,
                       "address '%s': an IPv6 address stands in brackets, as in [::1]:7400", text);
    }
    if (end == first || (size_t)(end - first) >= HOST_SIZE)
        return err_set(err, ERR_USAGE, "address '%s' has no host; write it as HOST:PORT", text);
    memcpy(host, first, (size_t)(end - first));
    host[end - first] = '\0';
    return 0;
}

static bool parse_host(struct address *ret_address, const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(ret_address, 0, sizeof(*ret_address));
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(ret_address->bytes, &v4, sizeof(v4));
        ret_address->size = sizeof(v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(ret_address->bytes, &v6, sizeof(v6));
        ret_address->size = sizeof(v6);
        return true;
    }
    return false;
}

int address_parse(struct address *ret_address, const char *text, struct err *err)
{
    struct address address;
    char host[HOST_SIZE];
    uint16_t port = 0;
    int code = split(text, host, &port, err);

    if (code != 0)
        return code;
    if (!parse_host(&address, host, port))
        return err_set(err, ERR_USAGE,
                       "address '%s': '%s' is no IP address; write numbers, as in 127.0.0.1:7400",
                       text, host);
    *ret_address = address;
    return 0;
}

int address_resolve(struct address *ret_address, const char *text, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    struct address address;
    char host[HOST_SIZE], service[8];
    uint16_t port = 0;
    int code = split(text, host, &port, err);

    if (code != 0)
        return code;
    if (parse_host(ret_address, host, port))
        return 0;
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    code = getaddrinfo(host, service, &hints, &found);
    if (code != 0)
        return err_set(err, ERR_UNREACHABLE, "cannot look up host '%s' of address '%s': %s", host,
                       text, gai_strerror(code));
    memset(&address, 0, sizeof(address));
    memcpy(address.bytes, found->ai_addr, found->ai_addrlen);
    address.size = (uint32_t)found->ai_addrlen;
    freeaddrinfo(found);
    *ret_address = address;
    return 0;
}

static sa_family_t family_of(const struct address *address)
{
    struct sockaddr head;

    memcpy(&head, address->bytes, sizeof(head));
    return head.sa_family;
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN];
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (family_of(address) == AF_INET6) {
        memcpy(&v6, address->bytes, sizeof(v6));
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
        snprintf(text, ADDRESS_TEXT_SIZE, "[%s]:%u", host, (unsigned)ntohs(v6.sin6_port));
    } else {
        memcpy(&v4, address->bytes, sizeof(v4));
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
        snprintf(text, ADDRESS_TEXT_SIZE, "%s:%u", host, (unsigned)ntohs(v4.sin_port));
    }
    return text;
}

uint16_t address_port(const struct address *address)
{
    struct sockaddr_in v4;

    /* The port stands at the same place in both families. */
    memcpy(&v4, address->bytes, sizeof(v4));
    return ntohs(v4.sin_port);
}

bool address_is_loopback(const struct address *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (family_of(address) == AF_INET6) {
        memcpy(&v6, address->bytes, sizeof(v6));
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    }
    memcpy(&v4, address->bytes, sizeof(v4));
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}
