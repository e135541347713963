/* Loaded into tor by LD_PRELOAD: sends small packets at once on every TCP socket, which tor never asks for. On
   loopback the waiting costs a factor of thirty in latency. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int without_delay(int fd)
{
    int saved = errno, on = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails harmlessly on what is not TCP */
    errno = saved;
    return fd;
}

int socket(int domain, int type, int protocol)
{
    int (*next)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    return without_delay(next(domain, type, protocol));
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    int (*next)(int, struct sockaddr *, socklen_t *) =
        (int (*)(int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "accept");
    return without_delay(next(fd, address, length));
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    int (*next)(int, struct sockaddr *, socklen_t *, int) =
        (int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");
    return without_delay(next(fd, address, length, flags));
}
