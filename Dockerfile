# A mocked vLLM server: Debian's nginx with the module.
#
#   docker build -t aibrix/vllm-mock:nightly .
#   docker build -t aibrix/vllm-simulator:nightly --build-arg SIMULATION=a100 .

ARG BASE=debian:bookworm-slim


FROM ${BASE} AS build

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends nginx nginx-dev libjansson-dev \
        libutf8proc-dev zlib1g-dev gcc make libc6-dev curl \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY Makefile config ngx_http_vllm_mock_module.c ./
COPY src/ src/
COPY tools/ tools/

RUN make install DESTDIR=/out \
    && strip --strip-unneeded /out/usr/lib/nginx/modules/*.so

COPY docker/ docker/
COPY profiles/ profiles/

# What is ours, as it will stand in the image.

RUN install -D -m 755 docker/entrypoint.sh /out/usr/local/bin/vllm \
    && install -D -m 755 docker/python3 /out/usr/local/bin/python3 \
    && ln -s python3 /out/usr/local/bin/python \
    && mkdir -p /out/usr/share/vllm-mock /out/usr/share/nginx \
        /out/etc/vllm-mock/server.d /out/var/lib \
    && cp -r docker/*.conf docker/settings.sh docker/help.txt profiles /out/usr/share/vllm-mock/ \
    && ln -s ../vllm-mock/profiles /out/usr/share/nginx/profiles


FROM ${BASE}

ARG SIMULATION=disabled
ARG VERSION=0.32.0
ARG REVISION=

LABEL org.opencontainers.image.title="vllm-mock" \
      org.opencontainers.image.description="A vLLM server without GPU or model: its API, metrics and timing, simulated inside nginx" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

# What nginx writes unless it is told otherwise goes to the one directory that
# may be written, for configurations of a user's own.

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends nginx libjansson4 libutf8proc2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
        /etc/nginx /var/lib/nginx /var/www /usr/share/nginx/html \
    && mkdir -p /var/log/nginx \
    && ln -s /dev/stdout /var/log/nginx/access.log \
    && ln -s /dev/stderr /var/log/nginx/error.log \
    && ln -s /tmp/vllm-mock/lib /var/lib/nginx

COPY --from=build /out/ /

ENV SIMULATION=${SIMULATION} \
    VLLM_MOCK_VERSION=${VERSION}

# any other user will do: nothing but /tmp is written

USER 65532:0

WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGQUIT

HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
    CMD ["vllm", "healthcheck"]

ENTRYPOINT ["vllm", "serve"]
