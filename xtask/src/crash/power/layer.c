/*
 * A layer between a program and the files of one folder, for tests of power cuts and full disks.
 *
 * The harness compiles it to a library, which LD_PRELOAD puts before the C library. The program writes
 * to its files as usual. The layer also keeps the durable state of the disk in a second folder, the
 * shadow:
 *
 *   inode/N   the synchronised content of the file with inode N
 *   names     the synchronised names of the folder, one line "N NAME" each
 *   dead/N    a link to a file without a name in the folder, so that its number is not used again
 *   control   two numbers of 64 bits: flags, and the bytes that the disk still takes (-1: all)
 *
 * fsync and fdatasync of a file copy its changed pages into the shadow, and of the folder its names.
 * The harness kills the process and builds the disk from the shadow. Writes and names that were not
 * synchronised are then missing. Memory maps are not observed, because SQLite writes through them
 * only to its index of the log, which is not durable.
 *
 * A kill in the middle of a copy is valid. It leaves a part of the writes before an fsync that had not returned.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
#define FILES_MAX 4096
#define IGNORE_SYNC 1 /* flag: fsync returns without an effect, which must make a test fail */
#define IGNORE_NAMES 2 /* flag: fsync of the folder returns without an effect */

struct file {
    dev_t device;
    ino_t inode;
    int content; /* open for reading for ever, so that the number of the inode is not used again */
    int shadow;
    uint64_t *dirty; /* a bit for each page that changed since the last fsync */
    size_t words;
};

struct control {
    volatile uint64_t flags;
    volatile int64_t bytes_left;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES_MAX];
static int file_count;
static const char *folder, *shadow;
static dev_t folder_device;
static ino_t folder_inode;
static struct control no_control = {0, -1};
static struct control *control = &no_control;

static void fail(const char *what) {
    dprintf(2, "layer: %s: %s\n", what, strerror(errno));
    abort();
}

static int open_now(const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void shadow_path(char *path, const char *kind, uint64_t number) {
    snprintf(path, PATH_MAX, "%s/%s/%llu", shadow, kind, (unsigned long long)number);
}

__attribute__((constructor)) static void begin(void) {
    folder = getenv("POWER_FOLDER");
    shadow = getenv("POWER_SHADOW");
    struct stat facts;
    if (!folder || !shadow) {
        folder = NULL;
        return;
    }
    if (stat(folder, &facts)) fail(folder);
    folder_device = facts.st_dev;
    folder_inode = facts.st_ino;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/control", shadow);
    int opened = open_now(path, O_RDWR | O_CLOEXEC, 0);
    if (opened < 0) fail(path);
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
    if (map == MAP_FAILED) fail(path);
    control = map;
}

static struct file *find(const struct stat *facts) {
    for (int index = 0; index < file_count; index++) {
        if (files[index].inode == facts->st_ino && files[index].device == facts->st_dev) {
            return &files[index];
        }
    }
    return NULL;
}

/* The tracked file of a descriptor, or NULL. */
static struct file *file_of(int descriptor) {
    struct stat facts;
    if (!folder || fstat(descriptor, &facts) || !S_ISREG(facts.st_mode)) return NULL;
    return find(&facts);
}

static void mark(struct file *file, off_t from, off_t to) {
    if (to <= from) return;
    size_t first = (size_t)from / PAGE, last = ((size_t)to - 1) / PAGE;
    if (last / 64 >= file->words) {
        size_t words = (last / 64 + 1) * 2;
        file->dirty = realloc(file->dirty, words * sizeof(uint64_t));
        if (!file->dirty) fail("memory");
        memset(file->dirty + file->words, 0, (words - file->words) * sizeof(uint64_t));
        file->words = words;
    }
    for (size_t page = first; page <= last; page++) {
        file->dirty[page / 64] |= (uint64_t)1 << (page % 64);
    }
}

static int is_inside(const char *path) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' && !strchr(path + length + 1, '/');
}

/* Tracks a file that was just opened, if it has a name in the folder. */
static void track(int descriptor) {
    struct stat facts;
    char link[64], path[PATH_MAX];
    if (!folder || descriptor < 0 || fstat(descriptor, &facts) || !S_ISREG(facts.st_mode)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (!is_inside(path) || strstr(path, " (deleted)")) return;
    pthread_mutex_lock(&lock);
    if (!find(&facts)) {
        if (file_count == FILES_MAX) fail("too many files");
        struct file *file = &files[file_count];
        char place[PATH_MAX];
        shadow_path(place, "inode", facts.st_ino);
        int is_known = access(place, F_OK) == 0;
        memset(file, 0, sizeof *file);
        file->device = facts.st_dev;
        file->inode = facts.st_ino;
        file->content = open_now(link, O_RDONLY | O_CLOEXEC, 0);
        file->shadow = open_now(place, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file->content < 0 || file->shadow < 0) fail(place);
        if (!is_known) mark(file, 0, facts.st_size);
        file_count++;
    }
    pthread_mutex_unlock(&lock);
}

static int opened(int descriptor) {
    int error = errno;
    track(descriptor);
    errno = error;
    return descriptor;
}

/* The bytes of a write that the disk takes. Returns -1 with ENOSPC if it takes none. */
static ssize_t taken(size_t bytes) {
    int64_t left = control->bytes_left;
    if (left < 0) return (ssize_t)bytes;
    if (left == 0 && bytes > 0) {
        errno = ENOSPC;
        return -1;
    }
    if ((int64_t)bytes > left) bytes = (size_t)left;
    control->bytes_left = left - (int64_t)bytes;
    return (ssize_t)bytes;
}

static ssize_t write_at(struct file *file, int descriptor, const void *bytes, size_t count, off_t at) {
    pthread_mutex_lock(&lock);
    ssize_t written = taken(count);
    if (written >= 0) written = syscall(SYS_pwrite64, descriptor, bytes, (size_t)written, at);
    if (written > 0) mark(file, at, at + written);
    pthread_mutex_unlock(&lock);
    return written;
}

static ssize_t write_here(struct file *file, int descriptor, const void *bytes, size_t count) {
    pthread_mutex_lock(&lock);
    ssize_t written = taken(count);
    if (written >= 0) written = syscall(SYS_write, descriptor, bytes, (size_t)written);
    if (written > 0) {
        off_t end = lseek(descriptor, 0, SEEK_CUR);
        mark(file, end - written, end);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

static void copy_page(struct file *file, size_t page) {
    char bytes[PAGE];
    off_t at = (off_t)page * PAGE;
    ssize_t count = syscall(SYS_pread64, file->content, bytes, sizeof bytes, at);
    if (count < 0) fail("read of a page");
    if (count > 0 && syscall(SYS_pwrite64, file->shadow, bytes, (size_t)count, at) != count) {
        fail("copy of a page");
    }
}

static int sync_file(struct file *file) {
    struct stat facts;
    pthread_mutex_lock(&lock);
    if (!(control->flags & IGNORE_SYNC)) {
        if (fstat(file->content, &facts)) fail("size of a file");
        if (syscall(SYS_ftruncate, file->shadow, facts.st_size)) fail("size of a copy");
        for (size_t word = 0; word < file->words; word++) {
            if (!file->dirty[word]) continue;
            for (size_t bit = 0; bit < 64; bit++) {
                if (file->dirty[word] >> bit & 1) copy_page(file, word * 64 + bit);
            }
            file->dirty[word] = 0;
        }
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

static int sync_names(void) {
    char unfinished[PATH_MAX], place[PATH_MAX];
    pthread_mutex_lock(&lock);
    if (!(control->flags & (IGNORE_SYNC | IGNORE_NAMES))) {
        snprintf(unfinished, sizeof unfinished, "%s/names.%d", shadow, getpid());
        snprintf(place, sizeof place, "%s/names", shadow);
        int list = open_now(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        DIR *entries = opendir(folder);
        if (list < 0 || !entries) fail(unfinished);
        for (struct dirent *entry; (entry = readdir(entries));) {
            if (entry->d_type != DT_REG) continue;
            dprintf(list, "%llu %s\n", (unsigned long long)entry->d_ino, entry->d_name);
        }
        closedir(entries);
        syscall(SYS_close, list);
        if (syscall(SYS_renameat2, AT_FDCWD, unfinished, AT_FDCWD, place, 0)) fail(place);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Keeps the inode of a name that is about to be removed or replaced. */
static void keep(const char *path) {
    struct stat facts;
    char dead[PATH_MAX];
    int error = errno;
    if (folder && is_inside(path) && !lstat(path, &facts) && S_ISREG(facts.st_mode)) {
        shadow_path(dead, "dead", facts.st_ino);
        if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, dead, 0) && errno != EEXIST) fail(dead);
    }
    errno = error;
}

static int truncate_open(int descriptor, off_t size) {
    struct file *file = file_of(descriptor);
    struct stat facts;
    if (!file) return (int)syscall(SYS_ftruncate, descriptor, size);
    pthread_mutex_lock(&lock);
    int failed = fstat(descriptor, &facts) ? -1 : (int)syscall(SYS_ftruncate, descriptor, size);
    if (!failed) mark(file, size < facts.st_size ? size : facts.st_size,
                      size < facts.st_size ? facts.st_size : size);
    pthread_mutex_unlock(&lock);
    return failed;
}

static int sync_open(int descriptor, long call) {
    struct stat facts;
    struct file *file = file_of(descriptor);
    if (file) return sync_file(file);
    if (folder && !fstat(descriptor, &facts) && facts.st_ino == folder_inode
        && facts.st_dev == folder_device) return sync_names();
    return (int)syscall(call, descriptor);
}

static mode_t mode_in(int flags, va_list rest) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

/* A file that open truncates is tracked before it loses its content. */
static int open_tracked(int at, const char *path, int flags, mode_t mode) {
    if (folder && flags & O_TRUNC && path[0] == '/' && is_inside(path)) {
        int before = open_now(path, O_RDWR | O_CLOEXEC, 0);
        if (before >= 0) {
            track(before);
            truncate_open(before, 0);
            syscall(SYS_close, before);
        }
    }
    return opened((int)syscall(SYS_openat, at, path, flags, mode));
}

#define OPEN(name)                                                     \
    int name(const char *path, int flags, ...) {                       \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        mode_t mode = mode_in(flags, rest);                            \
        va_end(rest);                                                  \
        return open_tracked(AT_FDCWD, path, flags, mode);              \
    }
#define OPENAT(name)                                                   \
    int name(int at, const char *path, int flags, ...) {               \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        mode_t mode = mode_in(flags, rest);                            \
        va_end(rest);                                                  \
        return open_tracked(at, path, flags, mode);                    \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t mode) {
    return open_tracked(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    struct file *file = file_of(descriptor);
    if (file) return write_here(file, descriptor, bytes, count);
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at) {
    struct file *file = file_of(descriptor);
    if (file) return write_at(file, descriptor, bytes, count, at);
    return syscall(SYS_pwrite64, descriptor, bytes, count, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t at) {
    return pwrite(descriptor, bytes, count, at);
}

/* A vector is written to a tracked file up to its first part, which is a valid short write. */
static const struct iovec *first_part(const struct iovec *parts, int count) {
    int index = 0;
    while (index < count - 1 && parts[index].iov_len == 0) index++;
    return &parts[index];
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    struct file *file = file_of(descriptor);
    if (!file || count <= 0) return syscall(SYS_writev, descriptor, parts, count);
    const struct iovec *part = first_part(parts, count);
    return write_here(file, descriptor, part->iov_base, part->iov_len);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) {
    struct file *file = file_of(descriptor);
    if (!file || count <= 0) return syscall(SYS_pwritev, descriptor, parts, count, at, 0);
    const struct iovec *part = first_part(parts, count);
    return write_at(file, descriptor, part->iov_base, part->iov_len, at);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off_t at) {
    return pwritev(descriptor, parts, count, at);
}

int ftruncate(int descriptor, off_t size) { return truncate_open(descriptor, size); }
int ftruncate64(int descriptor, off_t size) { return truncate_open(descriptor, size); }
int fsync(int descriptor) { return sync_open(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return sync_open(descriptor, SYS_fdatasync); }

int unlink(const char *path) {
    keep(path);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int unlinkat(int at, const char *path, int flags) {
    if (!(flags & AT_REMOVEDIR)) keep(path);
    return (int)syscall(SYS_unlinkat, at, path, flags);
}

int rename(const char *from, const char *to) {
    keep(to);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    keep(to);
    return (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
}
