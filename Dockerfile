# The gateway; packaging/compose.yaml runs it beside an Asterisk.     docker build -t voxgate .
# Mount /etc/voxgate, /var/lib/voxgate (the database: nothing may be lost of it) and /var/cache/voxgate/media.
# Any base will do that has Python 3.11 or newer with venv.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# What is pinned changes seldom, so that it is a layer of its own.
COPY packaging/requirements.lock packaging/
RUN python3 -m venv /opt/voxgate && \
    /opt/voxgate/bin/pip install --no-cache-dir --require-hashes -r packaging/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY asterisk-conf asterisk-conf
COPY vxml vxml
COPY voxgate voxgate
COPY gateway gateway
RUN /opt/voxgate/bin/pip install --no-cache-dir --no-deps .

FROM ${BASE}
# The number is fixed: volumes and Asterisk's container go by it.
RUN groupadd --gid 10001 voxgate && \
    useradd --uid 10001 --gid 10001 --home-dir /var/lib/voxgate --shell /usr/sbin/nologin voxgate && \
    install -d -m 750 -o voxgate -g voxgate /etc/voxgate /var/lib/voxgate /run/voxgate && \
    install -d -m 2770 -o voxgate -g voxgate /var/cache/voxgate/media
COPY --from=build /opt/voxgate /opt/voxgate
ENV PATH=/opt/voxgate/bin:$PATH VOXGATE_CONFIG=/etc/voxgate/voxgate.toml
USER voxgate
WORKDIR /var/lib/voxgate
EXPOSE 8080 4573
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["voxgate", "status"]
# Live calls are waited for at a stop ([dial] stop_within): give it more than Docker's ten seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["voxgate"]
CMD ["serve", "--log-json"]
