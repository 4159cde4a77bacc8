/* Stands between a process and its disk (LD_PRELOAD) and writes down, in order, everything that it asks of one folder: files
 * made, written, cut, synced, renamed, linked and removed, and between them whatever the process itself marks (acknowledgements).
 *
 * Armed from within (disk_recorder_begin, through ctypes). It changes no call and fails none. What is mapped into memory is not
 * seen (SQLite's -shm, which a power cut takes anyway); crash_disk.py notices if anything else went by it.
 * A record: eight 32-bit words (operation, a, b, length of name, of the second name, of the bytes, 64-bit offset), then those.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { MADE = 1, WRITTEN, CUT, SYNCED, RENAMED, LINKED, REMOVED, FOLDER_MADE, FOLDER_REMOVED, MARKED };

static char root[PATH_MAX];
static size_t root_length;
static int out = -1;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* the call and its record are one step */

#define REAL(name) static __typeof__(&name) real; if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define TURN_BEGINS pthread_mutex_lock(&turn)
#define TURN_ENDS do { int kept_ = errno; pthread_mutex_unlock(&turn); errno = kept_; } while (0)

static void put(const void *bytes, size_t count) {
  while (count > 0) {
    long n = syscall(SYS_write, out, bytes, count);
    if (n <= 0) abort(); /* half a record would be a false one */
    bytes = (const char *)bytes + n, count -= (size_t)n;
  }
}

static void record(enum operation operation, const char *name, const char *other, const void *bytes, size_t count, off_t at) {
  int kept = errno;
  size_t name_length = strlen(name), other_length = strlen(other);
  uint32_t head[8] = {operation, 0, 0, (uint32_t)name_length, (uint32_t)other_length, (uint32_t)count};
  uint64_t offset = (uint64_t)at;
  memcpy(head + 6, &offset, sizeof offset);
  put(head, sizeof head), put(name, name_length), put(other, other_length), put(bytes, count);
  errno = kept;
}

int disk_recorder_begin(const char *folder, const char *log) {
  if (realpath(folder, root) == NULL) return -1;
  root_length = strlen(root);
  out = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  return out < 0 ? -1 : 0;
}
void disk_recorder_mark(const char *text) {
  TURN_BEGINS;
  if (out >= 0) record(MARKED, text, "", "", 0, 0);
  TURN_ENDS;
}
void disk_recorder_end(void) {
  TURN_BEGINS;
  if (out >= 0) syscall(SYS_close, out);
  out = -1;
  TURN_ENDS;
}

/* The path below the watched folder ("" for itself), or NULL. */
static const char *below(const char *path) {
  if (strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == 0) return path + root_length;
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static const char *of_descriptor(int fd, char *path) {
  if (out < 0 || fd == out) return NULL;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int kept = errno;
  ssize_t n = readlink(link, path, PATH_MAX - 1);
  errno = kept;
  if (n <= 0) return NULL;
  path[n] = 0;
  return below(path);
}

static const char *of_name(int folder, const char *name, char *path) {
  if (out < 0) return NULL;
  char where[PATH_MAX], link[64];
  int kept = errno;
  where[0] = 0;
  if (name[0] != '/') {
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t n = readlink(link, where, sizeof where - 1);
    where[n > 0 ? n : 0] = 0;
  }
  int length = snprintf(path, PATH_MAX, name[0] == '/' ? "%s%s" : "%s/%s", where, name);
  while (length > 1 && path[length - 1] == '/') path[--length] = 0;
  errno = kept;
  return length < PATH_MAX ? below(path) : NULL;
}

static int is_there(const char *path) {
  struct stat found;
  int kept = errno, there = lstat(path, &found) == 0;
  errno = kept;
  return there;
}

/* ---- names ------------------------------------------------------------------------------------------------ */

static int opened(int folder, const char *name, int flags, mode_t mode) {
  static int (*real)(int, const char *, int, ...);
  if (real == NULL) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat64");
  char path[PATH_MAX];
  TURN_BEGINS;
  const char *ours = (flags & (O_CREAT | O_TRUNC)) ? of_name(folder, name, path) : NULL;
  int there = ours != NULL && is_there(path);
  int fd = real(folder, name, flags, mode);
  if (fd >= 0 && ours != NULL && !there) record(MADE, ours, "", "", 0, 0);
  if (fd >= 0 && ours != NULL && there && (flags & O_TRUNC)) record(CUT, ours, "", "", 0, 0);
  TURN_ENDS;
  return fd;
}

#define MODE(after)                                                                                   \
  mode_t mode = 0;                                                                                    \
  if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, after); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE(flags) return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE(flags) return opened(folder, name, flags, mode); }
int creat(const char *name, mode_t mode) { return opened(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *name, mode_t mode) { return opened(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static int moved(enum operation operation, int from_in, const char *from, int to_in, const char *to, int done) {
  char one[PATH_MAX], two[PATH_MAX];
  const char *ours = of_name(from_in, from, one), *there = of_name(to_in, to, two);
  if (done == 0 && ours != NULL && there != NULL) record(operation, ours, there, "", 0, 0);
  if (done == 0 && (ours == NULL) != (there == NULL)) abort(); /* in or out of the folder: a recording of half of it */
  return done;
}
#define TWO_NAMES(name, parameters, call, operation, from_in, to_in)                                  \
  int name parameters {                                                                               \
    REAL(name);                                                                                       \
    TURN_BEGINS;                                                                                      \
    int done = moved(operation, from_in, from, to_in, to, real call);                                 \
    TURN_ENDS;                                                                                        \
    return done;                                                                                      \
  }
TWO_NAMES(rename, (const char *from, const char *to), (from, to), RENAMED, AT_FDCWD, AT_FDCWD)
TWO_NAMES(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), RENAMED, a, b)
TWO_NAMES(link, (const char *from, const char *to), (from, to), LINKED, AT_FDCWD, AT_FDCWD)
TWO_NAMES(linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), LINKED, a, b)

#define ONE_NAME(function, parameters, call, operation, folder)                                       \
  int function parameters {                                                                           \
    REAL(function);                                                                                   \
    char path[PATH_MAX];                                                                              \
    TURN_BEGINS;                                                                                      \
    const char *ours = of_name(folder, name, path);                                                   \
    int done = real call;                                                                             \
    if (done == 0 && ours != NULL) record(operation, ours, "", "", 0, 0);                             \
    TURN_ENDS;                                                                                        \
    return done;                                                                                      \
  }
ONE_NAME(unlink, (const char *name), (name), REMOVED, AT_FDCWD)
ONE_NAME(unlinkat, (int a, const char *name, int flags), (a, name, flags), (flags & AT_REMOVEDIR) ? FOLDER_REMOVED : REMOVED, a)
ONE_NAME(rmdir, (const char *name), (name), FOLDER_REMOVED, AT_FDCWD)
ONE_NAME(mkdir, (const char *name, mode_t mode), (name, mode), FOLDER_MADE, AT_FDCWD)
ONE_NAME(mkdirat, (int a, const char *name, mode_t mode), (a, name, mode), FOLDER_MADE, a)

/* ---- bytes ------------------------------------------------------------------------------------------------ */

#define SYNCS(name)                                                                                   \
  int name(int fd) {                                                                                  \
    REAL(name);                                                                                       \
    char path[PATH_MAX];                                                                              \
    TURN_BEGINS;                                                                                      \
    const char *ours = of_descriptor(fd, path);                                                       \
    int done = real(fd);                                                                              \
    if (done == 0 && ours != NULL) record(SYNCED, ours, "", "", 0, 0);                                \
    TURN_ENDS;                                                                                        \
    return done;                                                                                      \
  }
SYNCS(fsync)
SYNCS(fdatasync)

#define CUTS(name, offset)                                                                            \
  int name(int fd, offset length) {                                                                   \
    REAL(name);                                                                                       \
    char path[PATH_MAX];                                                                              \
    TURN_BEGINS;                                                                                      \
    const char *ours = of_descriptor(fd, path);                                                       \
    int done = real(fd, length);                                                                      \
    if (done == 0 && ours != NULL) record(CUT, ours, "", "", 0, (off_t)length);                       \
    TURN_ENDS;                                                                                        \
    return done;                                                                                      \
  }
CUTS(ftruncate, off_t)
CUTS(ftruncate64, off64_t)

#define WRITES_AT(name, offset)                                                                       \
  ssize_t name(int fd, const void *bytes, size_t count, offset at) {                                  \
    REAL(name);                                                                                       \
    char path[PATH_MAX];                                                                              \
    TURN_BEGINS;                                                                                      \
    const char *ours = of_descriptor(fd, path);                                                       \
    ssize_t done = real(fd, bytes, count, at);                                                        \
    if (done > 0 && ours != NULL) record(WRITTEN, ours, "", bytes, (size_t)done, (off_t)at);          \
    TURN_ENDS;                                                                                        \
    return done;                                                                                      \
  }
WRITES_AT(pwrite, off_t)
WRITES_AT(pwrite64, off64_t)

static off_t behind(int fd, ssize_t done) { return lseek(fd, 0, SEEK_CUR) - (off_t)done; }

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  char path[PATH_MAX];
  if (out < 0) return real(fd, bytes, count); /* before it is armed, and in forked children: no lock */
  TURN_BEGINS;
  const char *ours = of_descriptor(fd, path);
  ssize_t done = real(fd, bytes, count);
  if (done > 0 && ours != NULL) record(WRITTEN, ours, "", bytes, (size_t)done, behind(fd, done));
  TURN_ENDS;
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  if (out < 0) return real(fd, parts, count);
  ssize_t done = 0; /* one record each: torn between two parts, as a disk may */
  for (int i = 0; i < count; i++) {
    ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
    if (n < 0) return done ? done : n;
    done += n;
    if ((size_t)n < parts[i].iov_len) break;
  }
  return done;
}

/* What the kernel copied by itself is read back from where it went. */
static void copied(int fd, const char *ours, off_t at, ssize_t count) {
  char *bytes = malloc((size_t)count), link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int reader = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
  if (bytes == NULL || reader < 0 || pread(reader, bytes, (size_t)count, at) != count) abort();
  syscall(SYS_close, reader);
  record(WRITTEN, ours, "", bytes, (size_t)count, at);
  free(bytes);
}
#define SENDS(name, offset)                                                                           \
  ssize_t name(int to, int from, offset *at, size_t count) {                                          \
    REAL(name);                                                                                       \
    char path[PATH_MAX];                                                                              \
    TURN_BEGINS;                                                                                      \
    const char *ours = of_descriptor(to, path);                                                       \
    ssize_t done = real(to, from, at, count);                                                         \
    if (done > 0 && ours != NULL) copied(to, ours, behind(to, done), done);                           \
    TURN_ENDS;                                                                                        \
    return done;                                                                                      \
  }
SENDS(sendfile, off_t)
SENDS(sendfile64, off64_t)

ssize_t copy_file_range(int from, off64_t *in, int to, off64_t *at, size_t count, unsigned flags) {
  REAL(copy_file_range);
  char path[PATH_MAX];
  TURN_BEGINS;
  const char *ours = of_descriptor(to, path);
  ssize_t done = real(from, in, to, at, count, flags);
  if (done > 0 && ours != NULL) copied(to, ours, at != NULL ? *at - done : behind(to, done), done);
  TURN_ENDS;
  return done;
}
