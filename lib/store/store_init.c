/*
 * Making a store: all or nothing, and never by accident.
 *
 * It is built as DIR.init beside DIR and renamed into place when it is whole and forced. README.md
 * says for each step what a crash after it leaves behind.
 */
#include "store/store_internal.h"

#include "base/assert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define INIT_SUFFIX   ".init"
#define INIT_MAP_SIZE (1u << 20) /* a store's first pages; store_open() sets its own */

/* The folders an init works with. */
struct places {
    char dir[PATH_MAX];
    char parent[PATH_MAX];
    char temp[PATH_MAX];
};

/* The process that holds DIR/LOCK, as it wrote it there; 0 if it is not to be known. */
static long lock_owner(int fd)
{
    char text[24] = {0};
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

    return got > 0 ? strtol(text, NULL, 10) : 0;
}

/* LMDB's map and our lock hold between processes of one machine only. */
static int check_local(const char *dir, int fd, struct err *err)
{
    static const unsigned long network[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                            SMB2_SUPER_MAGIC};
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0)
        return err_set_errno(err, ERR_IO, errno, "cannot read the file system of %s", dir);
    for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++) {
        if (((unsigned long)fs.f_type & 0xffffffff) == network[i])
            return err_set(err, ERR_USAGE,
                           "%s is on a network file system, where a store is not safe; name a "
                           "folder on a local disk",
                           dir);
    }
    return 0;
}

int store_lock(const char *dir, struct err *err)
{
    char path[PATH_MAX];
    int fd, rc;

    if (snprintf(path, sizeof(path), "%s/%s", dir, LOCK_FILE) >= (int)sizeof(path))
        return err_set(err, ERR_USAGE, "the path %s is too long", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open %s", path);
    rc = check_local(dir, fd, err);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    /* flock() belongs to the open file, so it also refuses a second open in this process. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK
                 ? err_set(err, ERR_BUSY,
                           "the store %s is in use by process %ld; stop that process first", dir,
                           lock_owner(fd))
                 : err_set_errno(err, ERR_IO, errno, "cannot lock %s", path);
        close(fd);
        return rc;
    }
    /* For the message above only: what counts is the lock. */
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        rc = err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
        close(fd);
        return rc;
    }
    return fd;
}

/* Cuts the last component off `path`, which has one. */
static void parent_of(const char *path, char parent[PATH_MAX])
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        memcpy(parent, ".", 2);
    else if (slash == path)
        memcpy(parent, "/", 2);
    else
        snprintf(parent, PATH_MAX, "%.*s", (int)(slash - path), path);
}

static int places_of(const char *dir, struct places *places, struct err *err)
{
    size_t size = strlen(dir);
    const char *name;

    while (size > 1 && dir[size - 1] == '/')
        size--;
    if (size == 0 || size + sizeof(INIT_SUFFIX) > sizeof(places->dir))
        return err_set(err, ERR_USAGE, "the path '%s' is empty or too long", dir);
    snprintf(places->dir, sizeof(places->dir), "%.*s", (int)size, dir);
    /* A link or a '.' is followed: rename() replaces names, not what they lead to. */
    if (access(places->dir, F_OK) == 0) {
        char *real = realpath(places->dir, NULL);
        if (!real)
            return err_set_errno(err, ERR_IO, errno, "cannot resolve %s", places->dir);
        snprintf(places->dir, sizeof(places->dir), "%s", real);
        free(real);
    }
    name = strrchr(places->dir, '/') ? strrchr(places->dir, '/') + 1 : places->dir;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(err, ERR_USAGE, "%s cannot be a store; name a folder of its own", dir);
    parent_of(places->dir, places->parent);
    if (snprintf(places->temp, sizeof(places->temp), "%s" INIT_SUFFIX, places->dir) >=
        (int)sizeof(places->temp))
        return err_set(err, ERR_USAGE, "the path %s is too long", dir);
    return 0;
}

/* `dir` must be absent or an empty folder. */
static int check_vacant(const char *dir, struct err *err)
{
    struct dirent *entry;
    bool store = false, other = false;
    DIR *folder = opendir(dir);

    if (!folder && errno == ENOENT)
        return 0;
    if (!folder && errno == ENOTDIR)
        return err_set(err, ERR_EXISTS, "%s exists and is no folder", dir);
    if (!folder)
        return err_set_errno(err, ERR_IO, errno, "cannot read the folder %s", dir);
    while ((entry = readdir(folder))) {
        store = store || strcmp(entry->d_name, DATA_FILE) == 0;
        other = other || (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0);
    }
    closedir(folder);
    if (store)
        return err_set(
            err, ERR_EXISTS,
            "%s holds a store already; it is left as it is (to begin anew, move it away)", dir);
    if (other)
        return err_set(err, ERR_EXISTS, "%s is not empty; name an empty or a new folder", dir);
    return 0;
}

/* What an init makes in its folder; the lock last, as it is kept longest. */
static const char *const init_files[] = {DATA_FILE, LMDB_LOCK_FILE, LOCK_FILE};

static bool is_init_file(const char *name)
{
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(name, init_files[i]) == 0)
            return true;
    }
    return false;
}

/* A folder that is in the way must be an init's, or it is not touched. */
static int check_leftover(const char *temp, struct err *err)
{
    struct dirent *entry;
    bool foreign = false;
    DIR *folder = opendir(temp);

    if (!folder)
        return err_set_errno(err, ERR_IO, errno, "cannot read the folder %s", temp);
    while ((entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            foreign = foreign || !is_init_file(entry->d_name);
    }
    closedir(folder);
    if (foreign)
        return err_set(err, ERR_EXISTS,
                       "%s is in the way: a store is built there first; move it away", temp);
    return 0;
}

/* Removes the files an init makes, and nothing else. */
static int remove_files(const char *temp, bool with_lock, struct err *err)
{
    char path[PATH_MAX + 16];

    for (size_t i = 0; i < (with_lock ? 3 : 2); i++) {
        snprintf(path, sizeof(path), "%s/%s", temp, init_files[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return err_set_errno(err, ERR_IO, errno, "cannot remove %s", path);
    }
    return 0;
}

/* What an init that failed leaves is nothing. */
static void remove_temp(const char *temp)
{
    remove_files(temp, true, NULL);
    rmdir(temp);
}

/* Makes the folder, or takes over what an init that died left of it. Returns the lock's fd. */
static int take_temp(const struct places *places, struct err *err)
{
    char path[PATH_MAX + 16];
    struct stat by_name, by_fd;
    int fd, rc;

    if (mkdir(places->temp, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "cannot make the folder %s", places->temp);
    rc = check_leftover(places->temp, err);
    if (rc != 0)
        return rc;
    fd = store_lock(places->temp, err);
    if (fd == ERR_USAGE)
        remove_temp(places->temp);
    if (fd < 0)
        return fd;
    /* The folder may have become another init's store before the lock was ours. */
    snprintf(path, sizeof(path), "%s/%s", places->temp, LOCK_FILE);
    if (stat(path, &by_name) != 0 || fstat(fd, &by_fd) != 0 || by_name.st_ino != by_fd.st_ino)
        rc = err_set(err, ERR_BUSY, "another process makes a store in %s right now", places->dir);
    else
        rc = remove_files(places->temp, false, err);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static int write_identity(MDB_env *env, const struct store_identity *identity, struct err *err)
{
    static const uint8_t zeros[8 * STORE_COUNTERS];
    uint8_t bytes[IDENTITY_SIZE];
    MDB_dbi dbis[STORE_TABLE_END];
    MDB_txn *txn;
    int rc = mdb_txn_begin(env, NULL, 0, &txn);

    if (rc != 0)
        return store_err(err, rc, "cannot begin a transaction");
    for (int table = 0; table < STORE_TABLE_END && rc == 0; table++)
        rc = mdb_dbi_open(txn, store_table_name(table), MDB_CREATE, &dbis[table]);
    identity_encode(identity, bytes);
    if (rc == 0)
        rc = record_put_own(txn, dbis[TABLE_IDENTITY], KEY_IDENTITY, bytes, sizeof(bytes));
    if (rc == 0)
        rc = record_put_own(txn, dbis[TABLE_IDENTITY], KEY_INCARNATION, zeros, 8);
    if (rc == 0)
        rc = record_put_own(txn, dbis[TABLE_IDENTITY], KEY_COUNTERS, zeros, sizeof(zeros));
    if (rc != 0) {
        mdb_txn_abort(txn);
        return store_err(err, rc, "cannot write the identity");
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? 0 : store_err(err, rc, "cannot commit the identity");
}

static int build(const char *temp, const struct store_identity *identity, struct err *err)
{
    MDB_env *env;
    int rc = mdb_env_create(&env);

    if (rc != 0)
        return store_err(err, rc, "cannot make an LMDB environment");
    rc = mdb_env_set_maxdbs(env, STORE_TABLE_END);
    if (rc == 0)
        rc = mdb_env_set_mapsize(env, INIT_MAP_SIZE);
    if (rc == 0)
        rc = mdb_env_open(env, temp, 0, 0600);
    if (rc == 0)
        rc = write_identity(env, identity, err);
    else
        rc = store_err(err, rc, "cannot make %s/%s", temp, DATA_FILE);
    mdb_env_close(env);
    return rc;
}

static int force(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open %s", path);
    if (fsync(fd) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "cannot force %s to disk", path);
    close(fd);
    return rc;
}

/* The point of no return of an init: DIR is a whole store after the rename, and none before it. */
static int publish(const struct places *places, struct err *err)
{
    if (rename(places->temp, places->dir) == 0)
        return 0;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return err_set(err, ERR_EXISTS, "%s is not empty any more", places->dir);
    if (errno == EBUSY)
        return err_set(err, ERR_IO, "%s is a mount point; name a folder inside it", places->dir);
    return err_set_errno(err, ERR_IO, errno, "cannot rename %s to %s", places->temp, places->dir);
}

static int init_in(const struct places *places, const struct store_identity *identity,
                   struct err *err)
{
    char data[PATH_MAX + 16];
    int rc = build(places->temp, identity, err);

    snprintf(data, sizeof(data), "%s/%s", places->temp, DATA_FILE);
    if (rc == 0)
        rc = force(data, err);
    if (rc == 0)
        rc = force(places->temp, err);
    if (rc == 0)
        rc = publish(places, err);
    return rc;
}

int store_init(const char *dir, const struct store_identity *identity, struct err *err)
{
    struct store_identity drawn = *identity;
    struct places places;
    int lock_fd, rc;

    ASSERT(identity->role == STORE_PARTICIPANT || identity->role == STORE_COORDINATOR);
    ASSERT(identity->cluster.text[0] != '\0' && identity->node.text[0] != '\0');
    if (guid_is_zero(&drawn.store_id) &&
        getrandom(drawn.store_id.bytes, sizeof(drawn.store_id.bytes), 0) !=
            (ssize_t)sizeof(drawn.store_id.bytes))
        return err_set_errno(err, ERR_IO, errno, "cannot draw a store id");
    rc = places_of(dir, &places, err);
    if (rc == 0)
        rc = check_vacant(places.dir, err);
    if (rc != 0)
        return rc;
    lock_fd = take_temp(&places, err);
    if (lock_fd < 0)
        return lock_fd;
    rc = init_in(&places, &drawn, err);
    if (rc == 0) {
        rc = force(places.parent, err);
    } else {
        remove_temp(places.temp);
    }
    close(lock_fd);
    return rc;
}
