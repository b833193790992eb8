/*
 * process_* of /metrics: a server of vLLM is one process, so that all workers
 * together stand for it, and whichever answers says the same.
 */

#include "http.h"
#include <dirent.h>
#include <sys/resource.h>


/* What /proc tells of a worker.  It is theirs to read for all of a user. */

typedef struct {
    double    cpu;                          /* seconds */
    uint64_t  virtual;                      /* bytes */
    uint64_t  resident;
    uint64_t  shared;                       /* of those that are resident */
} ngx_http_vllm_mock_proc_t;


/*
 * Descriptors that are open here: nginx knows those of connections, the others
 * (logs, epoll) stay as they are and are counted once.
 */

ngx_uint_t
ngx_http_vllm_mock_process_fds(void)
{
    DIR                *d;
    ngx_uint_t          connections, n;
    static ngx_uint_t   others;

    connections = ngx_cycle->connection_n - ngx_cycle->free_connection_n;

    if (others == 0) {
        others = 1;
        d = opendir("/proc/self/fd");

        if (d) {
            for (n = 0; readdir(d); n++) { /* void */ }

            /* without ".", ".." and the directory itself */

            others = n > connections + 3 ? n - connections - 3 : 1;
            closedir(d);
        }
    }

    return connections + others;
}


/* A file below /proc/PID; "" if it cannot be read. */

static void
ngx_http_vllm_mock_proc_read(ngx_pid_t pid, const char *name, char *text,
    size_t size)
{
    char     path[64];
    FILE    *f;
    size_t   n;

    snprintf(path, sizeof(path), "/proc/%ld/%s", (long) pid, name);
    f = fopen(path, "r");
    n = f ? fread(text, 1, size - 1, f) : 0;
    text[n] = '\0';

    if (f) {
        fclose(f);
    }
}


static void
ngx_http_vllm_mock_proc_cpu(ngx_pid_t pid, ngx_http_vllm_mock_proc_t *p)
{
    char            text[1024], *last;
    struct rusage   usage;
    unsigned long   system, user;

    if (pid == ngx_pid && getrusage(RUSAGE_SELF, &usage) == 0) {
        p->cpu = (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                 + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
                   / 1e6;
        return;
    }

    ngx_http_vllm_mock_proc_read(pid, "stat", text, sizeof(text));

    /* the name before it may hold anything, a parenthesis too */

    last = strrchr(text, ')');

    if (last && sscanf(last, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                             "%lu %lu", &user, &system)
                == 2)
    {
        p->cpu = (double) (user + system) / (double) sysconf(_SC_CLK_TCK);
    }
}


static void
ngx_http_vllm_mock_proc_memory(ngx_pid_t pid, ngx_http_vllm_mock_proc_t *p)
{
    char            text[256];
    unsigned long   pages, resident, shared;

    ngx_http_vllm_mock_proc_read(pid, "statm", text, sizeof(text));

    if (sscanf(text, "%lu %lu %lu", &pages, &resident, &shared) == 3) {
        p->virtual = (uint64_t) pages * ngx_pagesize;
        p->resident = (uint64_t) resident * ngx_pagesize;
        p->shared = (uint64_t) shared * ngx_pagesize;
    }
}


/* The seconds that this worker has used, for when it is gone. */

void
ngx_http_vllm_mock_process_look(ngx_http_vllm_mock_zone_t *z)
{
    ngx_http_vllm_mock_proc_t    p;
    ngx_http_vllm_mock_owner_t  *o;

    p.cpu = 0;
    ngx_http_vllm_mock_proc_cpu(ngx_pid, &p);

    ngx_http_vllm_mock_lock(z);
    o = &z->root->owners[z->owner];
    o->cpu = vm_max(o->cpu, p.cpu);
    ngx_http_vllm_mock_unlock(z);
}


void
ngx_http_vllm_mock_process(ngx_http_vllm_mock_zone_t *z, vm_scrape_t *s)
{
    double                       cpu[NGX_HTTP_VLLM_MOCK_OWNERS];
    uint64_t                     shared;
    ngx_pid_t                    pids[NGX_HTTP_VLLM_MOCK_OWNERS];
    ngx_uint_t                   i, n;
    struct rlimit                limit;
    ngx_http_vllm_mock_proc_t    p;
    ngx_http_vllm_mock_owner_t  *o;

    shared = 0;
    o = z->root->owners;

    /* files are read before the lock is taken */

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_OWNERS; i++) {
        pids[i] = o[i].pid;

        if (pids[i]) {
            ngx_memzero(&p, sizeof(ngx_http_vllm_mock_proc_t));
            ngx_http_vllm_mock_proc_cpu(pids[i], &p);
            ngx_http_vllm_mock_proc_memory(pids[i], &p);
            cpu[i] = p.cpu;
            s->virtual_bytes += p.virtual;
            s->resident_bytes += p.resident - p.shared;
            shared = vm_max(shared, p.shared);
        }
    }

    s->resident_bytes += shared;
    s->start_time = z->root->created;
    n = ngx_http_vllm_mock_process_fds();

    ngx_http_vllm_mock_lock(z);

    s->cpu_seconds = z->root->cpu;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_OWNERS; i++) {

        if (o[i].pid && o[i].pid == pids[i]) {

            /* one tick of a clock may be behind what was told already */

            o[i].cpu = vm_max(o[i].cpu, cpu[i]);
        }

        s->cpu_seconds += o[i].cpu;
        s->open_fds += o[i].pid == ngx_pid ? n : o[i].fds;
    }

    ngx_http_vllm_mock_unlock(z);

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        s->max_fds = limit.rlim_cur;
    }
}
