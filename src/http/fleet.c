/*
 * vllm_mock_fleet N [by=$variable]: replicas behind one server, each with an
 * engine, adapters, overrides and counters of its own in the same zone.
 */

#include "resolve.h"


char *
ngx_http_vllm_mock_apply_fleet(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char                            key[8];
    uint64_t                        n;
    ngx_str_t                       by;
    const char                     *value;
    ngx_http_vllm_mock_srv_conf_t  *conf;

    conf = data;

    if (vm_settings_number(ngx_http_vllm_mock_text(&d->args[0]), &n) != VM_OK
        || n == 0 || n > NGX_HTTP_VLLM_MOCK_FLEET)
    {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%V\" of vllm_mock_fleet: 1 to %d "
                     "replicas%Z", &d->args[0], NGX_HTTP_VLLM_MOCK_FLEET);
        return NGX_CONF_ERROR;
    }

    conf->fleet_size = (ngx_uint_t) n;
    conf->fleet_by = NULL;

    if (d->nargs < 2) {
        return NGX_CONF_OK;
    }

    value = ngx_http_vllm_mock_split(&d->args[1], key, sizeof(key));

    if (value == NULL || strcmp(key, "by") != 0 || *value == '\0') {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid parameter \"%V\" of vllm_mock_fleet: "
                     "by=$variable%Z", &d->args[1]);
        return NGX_CONF_ERROR;
    }

    by.data = (u_char *) value;
    by.len = strlen(value);
    conf->fleet_by = ngx_http_vllm_mock_compile(cf, &by);

    if (conf->fleet_by == NULL) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid variable \"%V\" of vllm_mock_fleet%Z", &by);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* ---- which one ---- */

static int ngx_libc_cdecl
ngx_http_vllm_mock_port_cmp(const void *one, const void *two)
{
    const in_port_t  *a, *b;

    a = one;
    b = two;

    return (*a > *b) - (*a < *b);
}


/* The ports that the process listens on, once it is known. */

ngx_int_t
ngx_http_vllm_mock_fleet_ports(ngx_cycle_t *cycle,
    ngx_http_vllm_mock_main_conf_t *main)
{
    ngx_uint_t        i, n;
    ngx_listening_t  *ls;

    ls = cycle->listening.elts;

    main->ports = ngx_palloc(cycle->pool, (cycle->listening.nelts + 1)
                                          * sizeof(in_port_t));
    if (main->ports == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < cycle->listening.nelts; i++) {
        main->ports[i] = ngx_inet_get_port(ls[i].sockaddr);
    }

    ngx_qsort(main->ports, i, sizeof(in_port_t), ngx_http_vllm_mock_port_cmp);

    for (n = 0, i = 0; i < cycle->listening.nelts; i++) {
        if (n == 0 || main->ports[n - 1] != main->ports[i]) {
            main->ports[n++] = main->ports[i];
        }
    }

    main->nports = n;

    return NGX_OK;
}


/* The port's place among all, so that ports in a row are replicas in a row. */

static ngx_uint_t
ngx_http_vllm_mock_fleet_place(ngx_http_request_t *r)
{
    in_port_t                        port, *found;
    ngx_http_vllm_mock_main_conf_t  *main;

    main = ngx_http_get_module_main_conf(r, ngx_http_vllm_mock_module);
    port = ngx_inet_get_port(r->connection->local_sockaddr);

    found = bsearch(&port, main->ports, main->nports, sizeof(in_port_t),
                    ngx_http_vllm_mock_port_cmp);

    return found ? (ngx_uint_t) (found - main->ports) : 0;
}


/* The replica of a value: a number counts as such, any other text by its
 * hash. */

static ngx_uint_t
ngx_http_vllm_mock_fleet_index(const ngx_str_t *value)
{
    ngx_int_t  number;

    number = ngx_atoi(value->data, value->len);

    return number == NGX_ERROR ? ngx_crc32_short(value->data, value->len)
                               : (ngx_uint_t) number;
}


ngx_http_vllm_mock_zone_t *
ngx_http_vllm_mock_fleet_zone(ngx_http_vllm_mock_zone_t *z, ngx_uint_t i)
{
    return i ? &z->others[i - 1] : z;
}


/* NULL: no memory for the variable. */

ngx_http_vllm_mock_zone_t *
ngx_http_vllm_mock_fleet_choose(ngx_http_request_t *r,
    ngx_http_vllm_mock_loc_conf_t *conf)
{
    ngx_str_t                   value;
    ngx_uint_t                  i;
    ngx_http_vllm_mock_zone_t  *z;

    z = conf->shm_zone->data;

    if (z->replicas == 1) {
        return z;
    }

    if (conf->server->fleet_by == NULL) {
        i = ngx_http_vllm_mock_fleet_place(r);

    } else if (ngx_http_complex_value(r, conf->server->fleet_by, &value)
               == NGX_OK)
    {
        i = ngx_http_vllm_mock_fleet_index(&value);

    } else {
        return NULL;
    }

    return ngx_http_vllm_mock_fleet_zone(z, i % z->replicas);
}


/* A zone learns whose settings it has: once, when a location serves it. */

ngx_int_t
ngx_http_vllm_mock_fleet_init(ngx_conf_t *cf, ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_srv_conf_t *server)
{
    ngx_uint_t                  i;
    ngx_http_vllm_mock_zone_t  *other;

    z->first = z;
    z->server = server;
    z->replicas = server->fleet_size;

    z->others = ngx_pcalloc(cf->pool, z->replicas
                                      * sizeof(ngx_http_vllm_mock_zone_t));
    if (z->others == NULL) {
        return NGX_ERROR;
    }

    for (i = 1; i < z->replicas; i++) {
        other = ngx_http_vllm_mock_fleet_zone(z, i);
        other->first = z;
        other->name = z->name;
        other->server = server;
        other->replica = i;
        other->replicas = z->replicas;
    }

    return NGX_OK;
}
