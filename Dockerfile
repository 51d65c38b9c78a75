# Images: `cloud` (cannot act: its bundles hold no acting code), `local` (acts on what was countersigned), `browser` (the same
# with Chromium), `hub` (git over ssh), `backup` (both zones). All but the last stand on `base`. Each program is one bundle; the compose files pick it by command.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY scripts/lock-policy.mjs scripts/
# No package's own script runs, and none is fetched but by its digest: docs/decisions/0037.
RUN --mount=type=cache,target=/root/.npm node scripts/lock-policy.mjs \
 && npm ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund
COPY . .

# What differs from one build to the next (logs, caches, backups of lists of users) is taken away again: two builds of one commit
# give the same files (scripts/compare-images.ts). Nothing here installs packages of npm's, so npm is not there.
FROM node:24-bookworm-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/* /tmp/*
# The owner of the zone's files on the host; sshd and ssh want a name for it.
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
RUN userdel --remove node \
 && { getent group "$COUNTERSIGN_GID" >/dev/null || groupadd --gid "$COUNTERSIGN_GID" countersign; } \
 && SOURCE_DATE_EPOCH=86400 useradd --uid "$COUNTERSIGN_UID" --gid "$COUNTERSIGN_GID" --home-dir /app --no-create-home --shell /bin/sh --password '*' git \
 && rm -rf /etc/*- /var/log/*
COPY deploy/container/healthcheck.sh deploy/container/countersign /usr/local/bin/
# One arena of malloc’s, and what is freed goes back at once: services that mostly wait gain nothing by more.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID
# Small heaps: a third less memory for services that mostly wait.
ENTRYPOINT ["node", "--max-semi-space-size=1", "--optimize-for-size", "--disable-warning=ExperimentalWarning"]
COPY LICENSE /app/
# Who builds from a clone knows the commit as well, and labels the image with it (docs/releases.md).
LABEL org.opencontainers.image.version=0.1.0 \
  org.opencontainers.image.licenses=MIT \
  org.opencontainers.image.source=https://github.com/countersign/countersign

FROM build AS cloud-bundles
RUN node scripts/bundle.ts cloud

FROM base AS cloud
COPY --from=cloud-bundles /build/dist/cloud /app
COPY skills /app/skills
# The pages of the queues' board.
COPY --from=build /build/node_modules/@bull-board/ui /app/board-pages
ENV COUNTERSIGN_ZONE=cloud COUNTERSIGN_SKILLS=/app/skills COUNTERSIGN_BOARD_PAGES=/app/board-pages
LABEL org.opencontainers.image.title="Countersign, cloud zone" \
  org.opencontainers.image.description="Reads mail and drafts; holds no code that acts"

FROM build AS local-bundles
RUN node scripts/bundle.ts local

FROM base AS local
COPY --from=local-bundles /build/dist/local /app
COPY skills /app/skills
# The pages of the queues' board.
COPY --from=build /build/node_modules/@bull-board/ui /app/board-pages
ENV COUNTERSIGN_ZONE=local COUNTERSIGN_SKILLS=/app/skills COUNTERSIGN_BOARD_PAGES=/app/board-pages
LABEL org.opencontainers.image.title="Countersign, local zone" \
  org.opencontainers.image.description="Does what its owner countersigned"

# The browser of the local machine: for WhatsApp, and for banks' own pages. What drives it finds files of its own beside it,
# and is here as packages.
FROM build AS browser-bundles
RUN node scripts/bundle.ts browser

FROM local AS browser
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium fonts-liberation \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/* /var/cache/fontconfig/* /var/cache/debconf/*-old \
 && rm -rf /var/lib/dpkg/*-old /var/log/* /etc/*- /tmp/* /var/lib/dbus/machine-id \
 && : >/etc/machine-id
COPY --from=browser-bundles /build/dist/browser /app
LABEL org.opencontainers.image.title="Countersign, browser of the local zone" \
  org.opencontainers.image.description="Chromium for WhatsApp and for a bank's pages, as its owner countersigned"
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID

FROM build AS backup-bundles
RUN node scripts/bundle.ts backup

# The image of Odoo's database, so that what dumps it is never older than the server; a restore drill starts one of its own,
# in a scratch folder. restic and git beside it.
FROM postgres:17 AS backup
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends restic git openssh-client netcat-openbsd ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/* /tmp/*
COPY --from=base /usr/local/bin/node /usr/local/bin/
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
# ssh and PostgreSQL want a name for the owner of the zone's files.
RUN { getent group "$COUNTERSIGN_GID" >/dev/null || groupadd --gid "$COUNTERSIGN_GID" countersign; } \
 && { getent passwd "$COUNTERSIGN_UID" >/dev/null \
 || SOURCE_DATE_EPOCH=86400 useradd --uid "$COUNTERSIGN_UID" --gid "$COUNTERSIGN_GID" --home-dir /app --no-create-home --shell /bin/sh countersign; } \
 && rm -rf /etc/*- /var/log/*
COPY deploy/container/healthcheck.sh deploy/container/countersign /usr/local/bin/
COPY --from=backup-bundles /build/dist/backup /app
COPY LICENSE /app/
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID
ENTRYPOINT ["node", "--max-semi-space-size=1", "--optimize-for-size", "--disable-warning=ExperimentalWarning"]
CMD ["/app/backup.mjs"]
LABEL org.opencontainers.image.title="Countersign, backup" \
  org.opencontainers.image.description="Saves a zone, encrypted, and tries to put it back" \
  org.opencontainers.image.version=0.1.0 \
  org.opencontainers.image.licenses=MIT \
  org.opencontainers.image.source=https://github.com/countersign/countersign

FROM build AS hub-bundles
RUN node scripts/bundle.ts hub

FROM base AS hub
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends openssh-server \
 && rm -rf /etc/ssh/ssh_host_* /etc/*- \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/* /tmp/*
COPY --from=hub-bundles /build/dist/hub /app
COPY services/hub/hub-shell services/hub/hub-watch deploy/container/hub /usr/local/bin/
COPY deploy/container/sshd_config /etc/countersign/
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID
ENTRYPOINT ["hub"]
EXPOSE 2222
LABEL org.opencontainers.image.title="Countersign, hub" \
  org.opencontainers.image.description="The vault's bare repository behind ssh, with the gate that every push passes"
