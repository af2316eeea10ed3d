#include "client/url.h"

#include <stdio.h>

#define FORMS "write zk://HOST:PORT[,HOST:PORT]/NAME or tcp://HOST:PORT[,HOST:PORT]"

/* Each host of a comma-separated list; only counted and looked at for zk. */
static int parse_hosts(const char *list, size_t length, struct url *url, struct err *err)
{
    const char *end = list + length;

    while (list < end) {
        size_t size = 0;
        char host[ADDRESS_TEXT_SIZE * 4];
        int rc;

        while (list + size < end && list[size] != ',')
            size++;
        if (size == 0 || size >= sizeof(host))
            return err_set(err, ERR_USAGE, "an empty or overlong host; " FORMS);
        if (url->host_count == URL_HOSTS_MAX)
            return err_set(err, ERR_USAGE, "more than %d hosts", URL_HOSTS_MAX);
        memcpy(host, list, size);
        host[size] = '\0';
        rc = address_resolve(&url->hosts[url->host_count++], host, err);
        if (rc != 0)
            return rc;
        list += size;
        if (list < end && ++list == end)
            return err_set(err, ERR_USAGE, "a comma without a host behind it; " FORMS);
    }
    if (url->host_count == 0)
        return err_set(err, ERR_USAGE, "no host; " FORMS);
    return 0;
}

static int parse_zookeeper(const char *rest, struct url *url, struct err *err)
{
    const char *slash = strchr(rest, '/');
    int rc;

    if (!slash)
        return err_set(err, ERR_USAGE, "the cluster's name is missing behind the hosts; " FORMS);
    if (!node_name_parse(&url->cluster, slash + 1, strlen(slash + 1)))
        return err_set(err, ERR_USAGE,
                       "'%.40s' is no cluster's name: 1 to 31 characters of a-z, 0-9 and '-'",
                       slash + 1);
    rc = parse_hosts(rest, (size_t)(slash - rest), url, err);
    if (rc != 0)
        return rc;
    snprintf(url->ensemble, sizeof(url->ensemble), "%.*s", (int)(slash - rest), rest);
    return 0;
}

int url_parse(const char *text, struct url *ret_url, struct err *err)
{
    struct url url;
    int rc;

    memset(&url, 0, sizeof(url));
    if (!text)
        return err_set(err, ERR_USAGE, "no cluster is given; " FORMS);
    if (strlen(text) >= URL_TEXT_MAX)
        rc = err_set(err, ERR_USAGE, "longer than %d characters", URL_TEXT_MAX - 1);
    else if (strncmp(text, "zk://", 5) == 0) {
        url.zookeeper = true;
        rc = parse_zookeeper(text + 5, &url, err);
    } else if (strncmp(text, "tcp://", 6) == 0)
        rc = parse_hosts(text + 6, strlen(text + 6), &url, err);
    else
        rc = err_set(err, ERR_USAGE, "no known form; " FORMS);
    if (rc != 0) {
        err_prefix(err, "cluster '%.100s'", text);
        return rc;
    }
    *ret_url = url;
    return 0;
}
