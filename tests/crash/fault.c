/* Loaded into the writer of the crash rounds by LD_PRELOAD: lets one call on a file under a directory go wrong, as disks and power do.
 *
 * FAULT_UNDER  the directory
 * FAULT_CALLS  which calls count: write, sync or all
 * FAULT_AT     the number of the call that goes wrong, counted from 1
 * FAULT_HOW    eio: it fails, and so do the two after it; full: so does every further write for a while, for want of space;
 *              torn: half of it is written, and the process dies; power: what no sync made durable is lost, and the process dies
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 1024

/* Held for reading by whoever changes anything on disk. Whoever cuts the power takes it for good, so that the world stands still. */
static pthread_rwlock_t light = PTHREAD_RWLOCK_INITIALIZER;
static atomic_long calls;
static long at;
static const char *under, *which, *how;
/* How much of a file is durable, plus one; 0 where no call on it was seen. */
static atomic_long durable[FILES];

__attribute__((constructor)) static void begin(void)
{
    under = getenv("FAULT_UNDER");
    which = getenv("FAULT_CALLS");
    how = getenv("FAULT_HOW");
    const char *number = getenv("FAULT_AT");
    at = number ? atol(number) : 0;
    if (!under || !which || !how)
        at = 0;
}

static int is_ours(int fd)
{
    char link[32], path[PATH_MAX];
    if (at == 0 || fd < 3 || fd >= FILES)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    /* RocksDB's own log of what it does is no data. */
    return strncmp(path, under, strlen(under)) == 0 && !strstr(path, "/LOG");
}

static long length_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? (long)status.st_size : 0;
}

static void die(void)
{
    raise(SIGKILL);
}

static void cut_power(void)
{
    pthread_rwlock_wrlock(&light);
    long lost = 0;
    for (int fd = 3; fd < FILES; fd++) {
        long kept = atomic_load(&durable[fd]);
        if (kept == 0 || !is_ours(fd))
            continue;
        long length = length_of(fd);
        if (length > kept - 1 && ftruncate(fd, kept - 1) == 0)
            lost += length - (kept - 1);
    }
    dprintf(2, "fault: power, %ld bytes lost\n", lost);
    die();
}

/* Whether this call goes wrong. */
static int goes_wrong(int fd, const char *kind)
{
    if (!is_ours(fd))
        return 0;
    long nothing = 0;
    atomic_compare_exchange_strong(&durable[fd], &nothing, length_of(fd) + 1);
    if (strcmp(which, "all") != 0 && strcmp(which, kind) != 0)
        return 0;
    long number = atomic_fetch_add(&calls, 1) + 1;
    long lasts = strcmp(how, "eio") == 0 ? 3 : strcmp(how, "full") == 0 ? 20 : 1;
    if (number < at || number >= at + lasts)
        return 0;
    if (strcmp(how, "power") == 0)
        cut_power();
    if (number == at)
        dprintf(2, "fault: %s, %s %ld\n", how, kind, number);
    errno = strcmp(how, "full") == 0 ? ENOSPC : EIO;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    ssize_t (*next)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (goes_wrong(fd, "write")) {
        if (strcmp(how, "torn") != 0)
            return -1;
        if (next(fd, bytes, count / 2) >= 0)
            die();
    }
    pthread_rwlock_rdlock(&light);
    ssize_t result = next(fd, bytes, count);
    int error = errno;
    pthread_rwlock_unlock(&light);
    errno = error;
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    ssize_t (*next)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    if (goes_wrong(fd, "write")) {
        if (strcmp(how, "torn") != 0)
            return -1;
        if (next(fd, bytes, count / 2, offset) >= 0)
            die();
    }
    pthread_rwlock_rdlock(&light);
    ssize_t result = next(fd, bytes, count, offset);
    int error = errno;
    pthread_rwlock_unlock(&light);
    errno = error;
    return result;
}

static int synced(int fd, const char *name)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (goes_wrong(fd, "sync"))
        return -1;
    int is_tracked = is_ours(fd);
    pthread_rwlock_rdlock(&light);
    long length = is_tracked ? length_of(fd) : 0;
    int result = next(fd);
    int error = errno;
    if (is_tracked && result == 0)
        atomic_store(&durable[fd], length + 1);
    pthread_rwlock_unlock(&light);
    errno = error;
    return result;
}

int fsync(int fd)
{
    return synced(fd, "fsync");
}

int fdatasync(int fd)
{
    return synced(fd, "fdatasync");
}

int close(int fd)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd < FILES)
        atomic_store(&durable[fd], 0);
    return next(fd);
}

int unlink(const char *path)
{
    int (*next)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    pthread_rwlock_rdlock(&light);
    int result = next(path);
    int error = errno;
    pthread_rwlock_unlock(&light);
    errno = error;
    return result;
}

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    pthread_rwlock_rdlock(&light);
    int result = next(from, to);
    int error = errno;
    pthread_rwlock_unlock(&light);
    errno = error;
    return result;
}
