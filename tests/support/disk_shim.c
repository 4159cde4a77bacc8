/* Stands between a process and its disk (LD_PRELOAD), for the fault runs: counts what SQLite asks of the disk and, at one
 * of those calls, kills the process before, in the middle or after it; or fails calls with an errno for as long as told.
 *
 * Only files whose path holds the wanted word are looked at. It never touches anything before it is armed.
 * Armed from within (disk_shim_arm, through ctypes) for a kill; from outside, through a shared file named by
 * DISK_SHIM_CONTROL, for errors: the first int is the errno (0: none), the second says of which calls (1 sync, 2 write, 3 both).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum when { BEFORE = 0, HALF = 1, AFTER = 2 };
enum sort { SYNC = 1, WRITE = 2 };

static char wanted[128];
static long calls, kill_at; /* kill_at 0: only counts */
static int armed, kill_when;
static volatile int *control; /* errno, which */

void disk_shim_arm(const char *word, long at, int when) {
  strncpy(wanted, word, sizeof wanted - 1);
  calls = 0, kill_at = at, kill_when = when, armed = 1;
}
long disk_shim_calls(void) { return __atomic_load_n(&calls, __ATOMIC_SEQ_CST); }

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("DISK_SHIM_CONTROL"), *word = getenv("DISK_SHIM_FILES");
  if (path == NULL || word == NULL) return;
  strncpy(wanted, word, sizeof wanted - 1);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *at = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) control = at;
}

static int is_wanted(int fd) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return strstr(path, wanted) != NULL;
}

/* 0: go on. Otherwise the errno with which the call fails. *when: where in this very call the process dies, or -1. */
static int meet(int fd, enum sort sort, int *when) {
  *when = -1;
  if (!armed && (control == NULL || control[0] == 0)) return 0;
  int saved = errno, looked_at = is_wanted(fd);
  errno = saved;
  if (!looked_at) return 0;
  if (control != NULL && control[0] != 0 && (control[1] & sort)) return control[0];
  if (armed && __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == kill_at) *when = kill_when;
  return 0;
}

static void die(void) { for (;;) { kill(getpid(), SIGKILL); pause(); } }

#define REAL(name) static __typeof__(&name) real; if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define SYNCS(name)                                                              \
  int name(int fd) {                                                             \
    REAL(name);                                                                  \
    int when, failure = meet(fd, SYNC, &when);                                   \
    if (failure) { errno = failure; return -1; }                                 \
    if (when == BEFORE || when == HALF) die();                                   \
    int done = real(fd);                                                         \
    if (when == AFTER) die();                                                    \
    return done;                                                                 \
  }
SYNCS(fsync)
SYNCS(fdatasync)

#define WRITES_AT(name, offset)                                                  \
  ssize_t name(int fd, const void *bytes, size_t count, offset at) {             \
    REAL(name);                                                                  \
    int when, failure = meet(fd, WRITE, &when);                                  \
    if (failure) { errno = failure; return -1; }                                 \
    if (when == BEFORE) die();                                                   \
    if (when == HALF) { real(fd, bytes, count / 2, at); die(); }                 \
    ssize_t done = real(fd, bytes, count, at);                                   \
    if (when == AFTER) die();                                                    \
    return done;                                                                 \
  }
WRITES_AT(pwrite, off_t)
WRITES_AT(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  int when, failure = meet(fd, WRITE, &when);
  if (failure) { errno = failure; return -1; }
  if (when == BEFORE) die();
  if (when == HALF) { real(fd, bytes, count / 2); die(); }
  ssize_t done = real(fd, bytes, count);
  if (when == AFTER) die();
  return done;
}

#define CUTS(name, offset)                                                       \
  int name(int fd, offset length) {                                              \
    REAL(name);                                                                  \
    int when, failure = meet(fd, WRITE, &when);                                  \
    if (failure) { errno = failure; return -1; }                                 \
    if (when == BEFORE || when == HALF) die();                                   \
    int done = real(fd, length);                                                 \
    if (when == AFTER) die();                                                    \
    return done;                                                                 \
  }
CUTS(ftruncate, off_t)
CUTS(ftruncate64, off64_t)
