/* A clock that is wrong by as many milliseconds as the file SKEW_FILE says, looked at again all the time.
 * Loaded with LD_PRELOAD. Asks the kernel itself: libfaketime calls itself without end inside redis-server. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long skew_ns(void) {
  static int file = -2;
  char text[32];
  if (file == -2) {
    const char *path = getenv("SKEW_FILE");
    file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
  }
  if (file < 0) return 0;
  ssize_t length = syscall(SYS_pread64, file, text, sizeof text - 1, (off_t)0);
  if (length <= 0) return 0;
  text[length] = 0;
  return atoll(text) * 1000000LL;
}

static void now(clockid_t id, struct timespec *at) {
  syscall(SYS_clock_gettime, id, at);
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return;
  long long ns = at->tv_sec * 1000000000LL + at->tv_nsec + skew_ns();
  at->tv_sec = ns / 1000000000LL;
  at->tv_nsec = ns % 1000000000LL;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  now(id, at);
  return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  now(CLOCK_REALTIME, &exact);
  at->tv_sec = exact.tv_sec;
  at->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec exact;
  now(CLOCK_REALTIME, &exact);
  if (out) *out = exact.tv_sec;
  return exact.tv_sec;
}
