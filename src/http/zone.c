/*
 * The shared zone: its layout at start, across reloads and after a worker
 * died; the lock; its memory.
 */

#include "limits.h"
#include "store.h"
#include "../base/rand.h"


vm_time_t
ngx_http_vllm_mock_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (vm_time_t) ts.tv_sec * VM_NSEC + ts.tv_nsec;
}


double
ngx_http_vllm_mock_unix(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


uint64_t
ngx_http_vllm_mock_random(ngx_http_vllm_mock_zone_t *z)
{
    uint64_t  n, salt;

    n = (uint64_t) ngx_atomic_fetch_add(&z->shared->counter, 1);
    ngx_memcpy(&salt, &z->shared->created, sizeof(salt));

    return vm_rand_at(salt, n);
}


/*
 * What a request's text, faults and, where a seed is given, ids follow from:
 * the seed and how many came before it, so that a server that is asked the
 * same answers the same.  Only a POST is counted: a scrape between two of them
 * changes nothing.
 */

uint64_t
ngx_http_vllm_mock_chance(ngx_http_vllm_mock_zone_t *z, uint64_t seed,
    ngx_uint_t post)
{
    return vm_rand_at(seed, (uint64_t) ngx_atomic_fetch_add(&z->shared->posts,
                                                            post));
}


/* ---- memory ---- */

/*
 * A worker that dies within the slab allocator leaves its lists half-written:
 * the flag tells, and from then on nothing more is taken or given back.
 */

static void *
ngx_http_vllm_mock_slab_alloc(ngx_http_vllm_mock_zone_t *z, size_t size)
{
    void  *p;

    if (z->root->broken) {
        return NULL;
    }

    z->root->allocating = 1;
    p = ngx_slab_alloc_locked(z->shpool, size);
    z->root->allocating = 0;

    return p;
}


static void
ngx_http_vllm_mock_slab_free(ngx_http_vllm_mock_zone_t *z, void *p)
{
    if (z->root->broken) {
        return;
    }

    z->root->allocating = 1;
    ngx_slab_free_locked(z->shpool, p);
    z->root->allocating = 0;
}


void *
ngx_http_vllm_mock_zone_alloc(ngx_http_vllm_mock_zone_t *z, size_t size,
    const char *what)
{
    void  *p;

    p = ngx_http_vllm_mock_slab_alloc(z, size);

    if (p) {
        ngx_memzero(p, size);
        return p;
    }

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                  "zone \"%V\" is full: %uz bytes are needed for %s",
                  &z->name, size, what);

    return NULL;
}


/* ---- engines ---- */

static void
ngx_http_vllm_mock_engines_free(ngx_http_vllm_mock_zone_t *z, ngx_uint_t i)
{
    ngx_uint_t                     r;
    ngx_http_vllm_mock_engines_t  *e;

    e = &z->shared->engines[i];

    for (r = 0; r < e->nranks; r++) {
        vm_stats_add(&z->shared->retired[r], vm_engine_stats(e->ranks[r]));
        z->shared->retired[r].running = 0;
        z->shared->retired[r].waiting = 0;
        z->shared->retired[r].deferred = 0;
        z->shared->retired[r].used_blocks = 0;
        ngx_http_vllm_mock_slab_free(z, e->ranks[r]);
    }

    e->used = 0;
    e->nranks = 0;
}


void
ngx_http_vllm_mock_zone_sweep(ngx_http_vllm_mock_zone_t *z)
{
    uint32_t                       live;
    ngx_uint_t                     i, r;
    ngx_http_vllm_mock_engines_t  *e;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        e = &z->shared->engines[i];

        if (!e->used || i == z->shared->current) {
            continue;
        }

        for (live = 0, r = 0; r < e->nranks; r++) {
            live += vm_engine_live(e->ranks[r]);
        }

        if (live == 0) {
            ngx_http_vllm_mock_engines_free(z, i);
        }
    }
}


ngx_int_t
ngx_http_vllm_mock_engines_create(ngx_http_vllm_mock_zone_t *z,
    const vm_engine_conf_t *conf, ngx_log_t *log)
{
    void                          *mem;
    size_t                         size;
    ngx_uint_t                     i, r;
    ngx_http_vllm_mock_engines_t  *e;

    size = vm_engine_footprint(conf);

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        if (!z->shared->engines[i].used) {
            break;
        }
    }

    if (i == NGX_HTTP_VLLM_MOCK_ENGINES) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "zone \"%V\": streams of %d earlier configurations are "
                      "still running", &z->name, i - 1);
        return NGX_ERROR;
    }

    e = &z->shared->engines[i];

    for (r = 0; r < z->server->settings->data_parallel; r++) {
        mem = ngx_http_vllm_mock_slab_alloc(z, size);

        if (mem == NULL) {
            e->nranks = r;
            ngx_http_vllm_mock_engines_free(z, i);

            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "zone \"%V\" is too small: %uz bytes are needed for "
                          "these settings (and as much again for a reload "
                          "that changes them)", &z->name,
                          z->replicas
                          * ((size + ngx_pagesize)
                             * z->server->settings->data_parallel
                             + sizeof(ngx_http_vllm_mock_shared_t)
                             + 16 * ngx_pagesize));
            return NGX_ERROR;
        }

        e->ranks[r] = vm_engine_init(mem, conf);
    }

    e->nranks = r;
    e->used = 1;
    z->shared->current = i;

    return NGX_OK;
}


ngx_uint_t
ngx_http_vllm_mock_engine_there(const ngx_http_vllm_mock_shared_t *sh,
    const vm_engine_t *engine)
{
    ngx_uint_t                           i, r;
    const ngx_http_vllm_mock_engines_t  *e;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        e = &sh->engines[i];

        for (r = 0; e->used && r < e->nranks; r++) {
            if (e->ranks[r] == engine) {
                return 1;
            }
        }
    }

    return 0;
}


void
ngx_http_vllm_mock_engines_release(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner)
{
    vm_time_t                      now;
    ngx_uint_t                     i, r;
    ngx_http_vllm_mock_engines_t  *e;

    now = ngx_http_vllm_mock_now();

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        e = &z->shared->engines[i];

        for (r = 0; e->used && r < e->nranks; r++) {
            vm_engine_release(e->ranks[r], (uint32_t) owner, now);
        }
    }
}


/* Are the engines that stand there those of the settings? */

static ngx_int_t
ngx_http_vllm_mock_engines_same(ngx_http_vllm_mock_zone_t *z)
{
    ngx_http_vllm_mock_engines_t  *e;

    if (z->shared->current == NGX_HTTP_VLLM_MOCK_NONE) {
        return 0;
    }

    e = &z->shared->engines[z->shared->current];

    return e->nranks == z->server->settings->data_parallel
           && ngx_memcmp(vm_engine_conf(e->ranks[0]), z->server->engine_conf,
                         sizeof(vm_engine_conf_t)) == 0;
}


/*
 * A process died while it held the lock: what the engines hold cannot be
 * trusted, so they begin anew and their streams end.  Counters are plain
 * numbers, they stay.  The counts of owners' requests that a rate limit keeps
 * are theirs to take back.
 */

static void
ngx_http_vllm_mock_recover(ngx_http_vllm_mock_zone_t *z)
{
    vm_stats_t                     stats;
    ngx_uint_t                     i, r;
    ngx_http_vllm_mock_engines_t  *e;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        e = &z->shared->engines[i];

        if (!e->used) {
            continue;
        }

        for (r = 0; r < e->nranks; r++) {
            vm_engine_conf_t  conf;

            conf = *vm_engine_conf(e->ranks[r]);
            stats = *vm_engine_stats(e->ranks[r]);
            stats.running = 0;
            stats.waiting = 0;
            stats.deferred = 0;
            stats.used_blocks = 0;
            vm_stats_add(&z->shared->retired[r], &stats);
            vm_engine_init(e->ranks[r], &conf);
        }
    }

    if (z->root->allocating) {
        z->root->allocating = 0;
        z->root->broken = 1;

        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "a process died while it took memory of zone \"%V\": no "
                      "more can be taken until nginx is restarted",
                      &z->name);
    }

    ngx_http_vllm_mock_store_reset(z);
    z->shared->dirty = 0;
    z->shared->epoch++;
}


void
ngx_http_vllm_mock_lock(ngx_http_vllm_mock_zone_t *z)
{
    ngx_shmtx_lock(&z->shpool->mutex);

    if (z->shared->dirty) {
        ngx_http_vllm_mock_recover(z);
    }

    z->shared->dirty = 1;
}


void
ngx_http_vllm_mock_unlock(ngx_http_vllm_mock_zone_t *z)
{
    z->shared->dirty = 0;
    ngx_shmtx_unlock(&z->shpool->mutex);
}


/* ---- adapters ---- */

ngx_http_vllm_mock_adapter_t *
ngx_http_vllm_mock_adapter_find(ngx_http_vllm_mock_shared_t *sh,
    const char *name, size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < sh->nadapters; i++) {

        if (sh->adapters[i].loaded
            && ngx_strlen(sh->adapters[i].name) == len
            && ngx_memcmp(sh->adapters[i].name, name, len) == 0)
        {
            return &sh->adapters[i];
        }
    }

    return NULL;
}


ngx_http_vllm_mock_adapter_t *
ngx_http_vllm_mock_adapter_add(ngx_http_vllm_mock_shared_t *sh,
    const char *name, size_t len, const char *path, size_t path_len)
{
    ngx_http_vllm_mock_adapter_t    *a;
    ngx_http_vllm_mock_lora_name_t  *n;

    a = ngx_http_vllm_mock_adapter_find(sh, name, len);

    if (len >= sizeof(a->name) || path_len >= sizeof(a->path)) {
        return NULL;
    }

    if (a == NULL) {
        if (sh->nadapters == NGX_HTTP_VLLM_MOCK_ADAPTERS) {
            return NULL;
        }

        a = &sh->adapters[sh->nadapters++];
        a->number = ++sh->next_adapter;
        ngx_memcpy(a->name, name, len);
        a->name[len] = '\0';
        a->loaded = 1;

        n = &sh->lora_names[a->number % NGX_HTTP_VLLM_MOCK_ADAPTERS];
        n->number = a->number;
        ngx_memcpy(n->name, a->name, len + 1);
    }

    ngx_memcpy(a->path, path, path_len);
    a->path[path_len] = '\0';

    return a;
}


static void
ngx_http_vllm_mock_static_adapters(ngx_http_vllm_mock_zone_t *z)
{
    size_t          i, len;
    json_t         *o;
    const char     *equals, *module, *name, *path;
    vm_settings_t  *s;

    if (z->shared->static_adapters) {
        return;
    }

    z->shared->static_adapters = 1;
    s = z->server->settings;

    for (i = 0; i < s->lora_modules.n; i++) {
        module = s->lora_modules.list[i];
        o = module[0] == '{' ? json_loads(module, 0, NULL) : NULL;
        name = json_string_value(json_object_get(o, "name"));
        path = json_string_value(json_object_get(o, "path"));

        if (name && path) {
            ngx_http_vllm_mock_adapter_add(z->shared, name, strlen(name),
                                           path, strlen(path));

        } else {
            equals = strchr(module, '=');
            len = equals ? (size_t) (equals - module) : strlen(module);
            path = equals ? equals + 1 : module;
            ngx_http_vllm_mock_adapter_add(z->shared, module, len, path,
                                           strlen(path));
        }

        json_decref(o);
    }
}


/* ---- start and reload ---- */

/*
 * The master's lock.  A worker that is killed with the lock in its hands is
 * reaped by the master alone, which lets go of the lock for it, and cannot do
 * so while it waits here in the middle of a reload.
 */

static void
ngx_http_vllm_mock_lock_start(ngx_slab_pool_t *shpool)
{
    ngx_pid_t  holder;

    while (!ngx_shmtx_trylock(&shpool->mutex)) {
        holder = (ngx_pid_t) *shpool->mutex.lock;

        if (holder && ngx_http_vllm_mock_dead(holder)) {
            (void) ngx_shmtx_force_unlock(&shpool->mutex, holder);
            continue;
        }

        ngx_msleep(1);
    }
}


static ngx_http_vllm_mock_root_t *
ngx_http_vllm_mock_create_root(ngx_slab_pool_t *shpool)
{
    ngx_http_vllm_mock_root_t  *root;

    root = ngx_slab_calloc_locked(shpool, sizeof(ngx_http_vllm_mock_root_t));

    if (root) {
        root->created = ngx_http_vllm_mock_unix();
        vm_hist_init(&root->lag, VM_HIST_LATENESS, 0);
    }

    return root;
}


static ngx_http_vllm_mock_shared_t *
ngx_http_vllm_mock_create_shared(ngx_http_vllm_mock_zone_t *z)
{
    ngx_uint_t                    r;
    ngx_http_vllm_mock_shared_t  *sh;

    sh = ngx_http_vllm_mock_slab_alloc(z, sizeof(ngx_http_vllm_mock_shared_t));

    if (sh == NULL) {
        return NULL;
    }

    ngx_memzero(sh, sizeof(ngx_http_vllm_mock_shared_t));
    sh->created = z->root->created;
    sh->current = NGX_HTTP_VLLM_MOCK_NONE;

    for (r = 0; r < NGX_HTTP_VLLM_MOCK_RANKS; r++) {
        vm_stats_init(&sh->retired[r], z->server->settings->max_model_len);
    }

    vm_http_stats_init(&sh->http);
    vm_hist_init(&sh->self.token_lateness, VM_HIST_LATENESS, 0);

    return sh;
}


/* Under the lock. */

static ngx_int_t
ngx_http_vllm_mock_init_replica(ngx_http_vllm_mock_zone_t *z, ngx_log_t *log)
{
    if (z->root->replicas[z->replica] == NULL) {
        z->root->replicas[z->replica] = ngx_http_vllm_mock_create_shared(z);
    }

    z->shared = z->root->replicas[z->replica];

    if (z->shared == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "zone \"%V\" is too small: %uz bytes are needed for "
                      "these settings", &z->name,
                      sizeof(ngx_http_vllm_mock_root_t) + 32 * ngx_pagesize
                      + (sizeof(ngx_http_vllm_mock_shared_t) + ngx_pagesize
                         + (vm_engine_footprint(z->server->engine_conf)
                            + ngx_pagesize)
                           * z->server->settings->data_parallel)
                        * z->replicas);
        return NGX_ERROR;
    }

    if (z->shared->dirty) {
        ngx_http_vllm_mock_recover(z);
    }

    if (!ngx_http_vllm_mock_engines_same(z)) {
        ngx_http_vllm_mock_zone_sweep(z);

        if (ngx_http_vllm_mock_engines_create(z, z->server->engine_conf, log)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_http_vllm_mock_static_adapters(z);

    if (!z->shared->start_overrides) {
        z->shared->start_overrides = 1;
        z->shared->overrides = *z->server->overrides;
    }

    return NGX_OK;
}


/*
 * nginx makes a zone anew when its size changes, and with it all counters,
 * overrides and adapters would be gone without a word.  The cycle that runs
 * still has the zone as it was.
 */

static ngx_int_t
ngx_http_vllm_mock_same_size(ngx_shm_zone_t *shm_zone)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *old;
    ngx_list_part_t  *part;

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;

    for ( /* void */ ; part; part = part->next) {
        old = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (old[i].tag == shm_zone->tag && &old[i] != shm_zone
                && old[i].shm.name.len == shm_zone->shm.name.len
                && ngx_memcmp(old[i].shm.name.data, shm_zone->shm.name.data,
                              shm_zone->shm.name.len)
                   == 0
                && old[i].shm.size != shm_zone->shm.size)
            {
                ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                              "the size of zone \"%V\" cannot change from "
                              "%uz to %uz by a reload, which would lose its "
                              "counters and overrides: restart nginx, or "
                              "give the zone another name",
                              &shm_zone->shm.name, old[i].shm.size,
                              shm_zone->shm.size);
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_int_t                   rc;
    ngx_log_t                  *log;
    ngx_uint_t                  i;
    ngx_slab_pool_t            *shpool;
    ngx_http_vllm_mock_zone_t  *z, *one;

    (void) data;                        /* all of it is in the memory */

    z = shm_zone->data;
    log = shm_zone->shm.log;

    if (z->server == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "zone \"%V\" is not used by any \"vllm_mock\"",
                      &z->name);
        return NGX_ERROR;
    }

    if (ngx_http_vllm_mock_same_size(shm_zone) != NGX_OK) {
        return NGX_ERROR;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    shpool->log_nomem = 0;

    ngx_http_vllm_mock_lock_start(shpool);

    if (shpool->data == NULL) {
        shpool->data = ngx_http_vllm_mock_create_root(shpool);
    }

    rc = NGX_OK;

    if (shpool->data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "zone \"%V\" is too small",
                      &z->name);
        rc = NGX_ERROR;
    }

    for (i = 0; i < z->replicas && rc == NGX_OK; i++) {
        one = ngx_http_vllm_mock_fleet_zone(z, i);
        one->shpool = shpool;
        one->root = shpool->data;
        rc = ngx_http_vllm_mock_init_replica(one, log);
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}
