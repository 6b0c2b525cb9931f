# The worker as an image: docker build -t operator-lib .
# `operator-lib worker manifest kubernetes` prints what runs it in a cluster.

# An image with Python 3.11 or later, its venv and pip; one of your own has the settings of pip that are needed.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
COPY . /src
RUN python3 -m venv /opt/operator-lib \
    && /opt/operator-lib/bin/pip install --no-cache-dir --disable-pip-version-check "/src[worker]"

FROM ${BASE}
COPY --from=build /opt/operator-lib /opt/operator-lib
RUN groupadd --gid 10001 operator-lib \
    && useradd --uid 10001 --gid operator-lib --create-home --shell /usr/sbin/nologin operator-lib \
    && install --directory --owner operator-lib --group operator-lib --mode 0700 /var/lib/operator-lib
ENV PATH=/opt/operator-lib/bin:$PATH OPERATOR_LIB_HOME=/var/lib/operator-lib/home
USER 10001:10001
VOLUME /var/lib/operator-lib
EXPOSE 7070 7071
ENTRYPOINT ["operator-lib"]
# From outside it is reached once it is told how: --host 0.0.0.0 with --tls-cert and --tls-key, or with --insecure.
CMD ["worker", "start", "--foreground"]
