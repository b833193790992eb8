/*
 * Directives as they are read: kept with the line they stand in, and looked at
 * right away so that a wrong value is reported there.  What they mean together
 * is worked out in resolve.c.
 */

#include "http.h"
#include "resolve.h"


void *
ngx_http_vllm_mock_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_vllm_mock_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&conf->zones, cf->pool, 2, sizeof(ngx_shm_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return conf;
}


void *
ngx_http_vllm_mock_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_srv_conf_t));
}


/* A list of directives that a level does not have is that of the one above. */

static void
ngx_http_vllm_mock_inherit(ngx_array_t **child, ngx_array_t *parent)
{
    if (*child == NULL) {
        *child = parent;
    }
}


char *
ngx_http_vllm_mock_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_vllm_mock_srv_conf_t  *conf, *prev;

    prev = parent;
    conf = child;

    ngx_http_vllm_mock_inherit(&conf->models, prev->models);
    ngx_http_vllm_mock_inherit(&conf->loras, prev->loras);
    ngx_http_vllm_mock_inherit(&conf->args, prev->args);
    ngx_http_vllm_mock_inherit(&conf->engine, prev->engine);
    ngx_http_vllm_mock_inherit(&conf->latency, prev->latency);
    ngx_http_vllm_mock_inherit(&conf->metrics, prev->metrics);
    ngx_http_vllm_mock_inherit(&conf->metrics_mode, prev->metrics_mode);
    ngx_http_vllm_mock_inherit(&conf->replicas, prev->replicas);
    ngx_http_vllm_mock_inherit(&conf->fleet, prev->fleet);
    ngx_http_vllm_mock_inherit(&conf->time_scales, prev->time_scales);
    ngx_http_vllm_mock_inherit(&conf->seeds, prev->seeds);
    ngx_http_vllm_mock_inherit(&conf->tokenizers, prev->tokenizers);
    ngx_http_vllm_mock_inherit(&conf->versions, prev->versions);
    ngx_http_vllm_mock_inherit(&conf->saturations, prev->saturations);

    ngx_conf_merge_str_value(conf->profiles, prev->profiles, "profiles");

    if (conf->profiles.data[0] != '/'
        && ngx_conf_full_name(cf->cycle, &conf->profiles, 0) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void *
ngx_http_vllm_mock_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_vllm_mock_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->unknown_models = NGX_CONF_UNSET_UINT;
    conf->lora_paths = NGX_CONF_UNSET_UINT;
    conf->all_endpoints = NGX_CONF_UNSET_UINT;
    conf->admin = NGX_CONF_UNSET_UINT;
    conf->aibrix_errors = NGX_CONF_UNSET_UINT;
    conf->admin_hosts = NGX_CONF_UNSET_PTR;

    return conf;
}


char *
ngx_http_vllm_mock_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_vllm_mock_loc_conf_t  *conf, *prev;
    ngx_http_vllm_mock_srv_conf_t  *server;

    prev = parent;
    conf = child;

    ngx_conf_merge_uint_value(conf->unknown_models, prev->unknown_models,
                              NGX_HTTP_VLLM_MOCK_REJECT);
    ngx_conf_merge_uint_value(conf->lora_paths, prev->lora_paths,
                              NGX_HTTP_VLLM_MOCK_CHECK);
    ngx_conf_merge_uint_value(conf->all_endpoints, prev->all_endpoints, 0);
    ngx_conf_merge_uint_value(conf->admin, prev->admin,
                              NGX_HTTP_VLLM_MOCK_ADMIN_ON);
    ngx_conf_merge_uint_value(conf->aibrix_errors, prev->aibrix_errors, 0);
    ngx_conf_merge_ptr_value(conf->admin_hosts, prev->admin_hosts, NULL);

    ngx_http_vllm_mock_inherit(&conf->keys, prev->keys);
    ngx_http_vllm_mock_inherit(&conf->output, prev->output);
    ngx_http_vllm_mock_inherit(&conf->limits, prev->limits);
    ngx_http_vllm_mock_inherit(&conf->faults, prev->faults);

    if (conf->shm_zone == NULL) {
        return NGX_CONF_OK;
    }

    server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_vllm_mock_module);

    if (server->location == NULL) {
        server->location = conf;
    }

    return ngx_http_vllm_mock_resolve_location(cf, conf, server);
}


/* vllm_mock_zone name size */

char *
ngx_http_vllm_mock_zone_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ssize_t                          size;
    ngx_str_t                       *value;
    ngx_shm_zone_t                  *shm_zone, **slot;
    ngx_http_vllm_mock_zone_t       *zone;
    ngx_http_vllm_mock_main_conf_t  *main;

    (void) cmd;

    main = conf;
    value = cf->args->elts;
    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of zone \"%V\": a number with "
                           "an optional k or m, at least %uz bytes",
                           &value[2], &value[1], 8 * ngx_pagesize);
        return NGX_CONF_ERROR;
    }

    shm_zone = ngx_shared_memory_add(cf, &value[1], size,
                                     &ngx_http_vllm_mock_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate zone \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_zone_t));
    slot = ngx_array_push(&main->zones);

    if (zone == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = shm_zone;
    zone->name = value[1];
    shm_zone->data = zone;
    shm_zone->init = ngx_http_vllm_mock_init_zone;

    return NGX_CONF_OK;
}


/* vllm_mock zone */

char *
ngx_http_vllm_mock_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    size_t                           i;
    ngx_str_t                       *value;
    ngx_shm_zone_t                 **zones;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_vllm_mock_zone_t       *zone;
    ngx_http_vllm_mock_loc_conf_t   *loc;
    ngx_http_vllm_mock_main_conf_t  *main;

    (void) cmd;

    loc = conf;
    value = cf->args->elts;

    if (loc->shm_zone) {
        return "is duplicate";
    }

    main = ngx_http_conf_get_module_main_conf(cf, ngx_http_vllm_mock_module);
    zones = main->zones.elts;

    for (i = 0; i < main->zones.nelts; i++) {
        zone = zones[i]->data;

        if (zone->name.len == value[1].len
            && ngx_memcmp(zone->name.data, value[1].data, value[1].len) == 0)
        {
            loc->shm_zone = zones[i];
        }
    }

    if (loc->shm_zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown zone \"%V\": declare it before with "
                           "\"vllm_mock_zone %V size;\"",
                           &value[1], &value[1]);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_vllm_mock_handler;

    return NGX_CONF_OK;
}


/* Keeps a directive for later; cmd->post applies it, here to nothing. */

char *
ngx_http_vllm_mock_keep(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                        i;
    ngx_str_t                        *value;
    ngx_array_t                     **list;
    ngx_http_vllm_mock_directive_t   *d;

    list = (ngx_array_t **) ((char *) conf + cmd->offset);

    if (*list == NULL) {
        *list = ngx_array_create(cf->pool, 2,
                                 sizeof(ngx_http_vllm_mock_directive_t));
        if (*list == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    d = ngx_array_push(*list);
    if (d == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    d->nargs = cf->args->nelts - 1;
    d->file = cf->conf_file->file.name.data;
    d->line = cf->conf_file->line;
    d->warned = 0;
    d->args = ngx_palloc(cf->pool, d->nargs * sizeof(ngx_str_t));

    if (d->args == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < d->nargs; i++) {
        d->args[i] = value[i + 1];
    }

    return ngx_http_vllm_mock_try(cf, d, cmd->conf,
                                  (ngx_http_vllm_mock_apply_pt) (uintptr_t)
                                      cmd->post);
}


/* The same, of one that a level has once. */

char *
ngx_http_vllm_mock_once(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    if (*(ngx_array_t **) ((char *) conf + cmd->offset)) {
        return "is duplicate";
    }

    return ngx_http_vllm_mock_keep(cf, cmd, conf);
}


/* One key a line; blank lines and lines after "#" are left out. */

static char *
ngx_http_vllm_mock_key_file(ngx_conf_t *cf, ngx_str_t *name, ngx_array_t *keys)
{
    char        err[NGX_HTTP_VLLM_MOCK_ERR], *end, *line, *text;
    size_t      len, n;
    ngx_str_t  *key;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    text = ngx_http_vllm_mock_read_file(cf, name, &len, err);

    if (text == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "vllm_mock_api_key_file: %s", err);
        return NGX_CONF_ERROR;
    }

    for (line = text; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        n = (size_t) (end - line);

        while (n && (line[n - 1] == '\r' || line[n - 1] == ' ')) {
            n--;
        }

        if (n == 0 || *line == '#') {
            continue;
        }

        key = ngx_array_push(keys);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        key->data = ngx_pnalloc(cf->pool, n + 1);
        if (key->data == NULL) {
            return NGX_CONF_ERROR;
        }

        (void) ngx_cpystrn(key->data, (u_char *) line, n + 1);
        key->len = n;
    }

    return NGX_CONF_OK;
}


/* vllm_mock_api_key key...; vllm_mock_api_key_file path: cmd->offset is 1 */

char *
ngx_http_vllm_mock_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                      i;
    ngx_str_t                      *key, *value;
    ngx_http_vllm_mock_loc_conf_t  *loc;

    loc = conf;
    value = cf->args->elts;

    if (loc->keys == NULL) {
        loc->keys = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
        if (loc->keys == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (cmd->offset) {
        return ngx_http_vllm_mock_key_file(cf, &value[1], loc->keys);
    }

    for (i = 1; i < cf->args->nelts; i++) {
        key = ngx_array_push(loc->keys);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        *key = value[i];
    }

    return NGX_CONF_OK;
}


/* One of the words of cmd->post; nginx's own message does not name them. */

char *
ngx_http_vllm_mock_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char           *p, words[128];
    ngx_str_t        *value;
    ngx_uint_t       *slot;
    ngx_conf_enum_t  *e;

    slot = (ngx_uint_t *) ((char *) conf + cmd->offset);
    value = cf->args->elts;

    if (*slot != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    p = words;

    for (e = cmd->post; e->name.len; e++) {

        if (e->name.len == value[1].len
            && ngx_memcmp(e->name.data, value[1].data, value[1].len) == 0)
        {
            *slot = e->value;
            return NGX_CONF_OK;
        }

        p = ngx_slprintf(p, words + sizeof(words), "%s%V",
                         p == words ? "" : " or ", &e->name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" of %V: %*s", &value[1],
                       &cmd->name, (size_t) (p - words), words);

    return NGX_CONF_ERROR;
}


/* vllm_mock_admin_hosts */

char *
ngx_http_vllm_mock_hosts(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t     *host, *value;
    ngx_uint_t     i;
    ngx_array_t  **slot;

    slot = (ngx_array_t **) ((char *) conf + cmd->offset);
    value = cf->args->elts;

    if (*slot != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    *slot = ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));

    for (i = 1; *slot && i < cf->args->nelts; i++) {
        host = ngx_array_push(*slot);           /* there is room for all */
        *host = value[i];
    }

    return *slot ? NGX_CONF_OK : NGX_CONF_ERROR;
}
