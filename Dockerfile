# The gateway alone; Asterisk runs beside it. Build: docker build -t voxgate .
FROM python:3.11-slim
WORKDIR /srv/voxgate
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY vxml vxml
COPY asterisk-conf asterisk-conf
RUN pip install --no-cache-dir . && useradd --system --home /var/lib/voxgate --create-home voxgate
USER voxgate
WORKDIR /var/lib/voxgate
EXPOSE 8080 4573
ENTRYPOINT ["voxgate"]
CMD ["serve", "--config", "/etc/voxgate/voxgate.toml", "--log-json"]
