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

FROM node:24-bookworm-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/*
# The owner of the zone's files on the host; sshd and ssh want a name for it.
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
RUN userdel --remove node \
 && { getent group "$COUNTERSIGN_GID" >/dev/null || groupadd --gid "$COUNTERSIGN_GID" countersign; } \
 && useradd --uid "$COUNTERSIGN_UID" --gid "$COUNTERSIGN_GID" --home-dir /app --no-create-home --shell /bin/sh --password '*' git
COPY deploy/container/healthcheck.sh deploy/container/countersign /usr/local/bin/
# One arena of malloc’s, and what is freed goes back at once: services that mostly wait gain nothing by more.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID
# Small heaps: a third less memory for services that mostly wait.
ENTRYPOINT ["node", "--max-semi-space-size=1", "--optimize-for-size", "--disable-warning=ExperimentalWarning"]

FROM build AS cloud-bundles
RUN node scripts/bundle.ts cloud

FROM base AS cloud
COPY --from=cloud-bundles /build/dist/cloud /app
COPY skills /app/skills
# The pages of the queues' board.
COPY --from=build /build/node_modules/@bull-board/ui /app/board-pages
ENV COUNTERSIGN_ZONE=cloud COUNTERSIGN_SKILLS=/app/skills COUNTERSIGN_BOARD_PAGES=/app/board-pages

FROM build AS local-bundles
RUN node scripts/bundle.ts local

FROM base AS local
COPY --from=local-bundles /build/dist/local /app
COPY skills /app/skills
# The pages of the queues' board.
COPY --from=build /build/node_modules/@bull-board/ui /app/board-pages
ENV COUNTERSIGN_ZONE=local COUNTERSIGN_SKILLS=/app/skills COUNTERSIGN_BOARD_PAGES=/app/board-pages

# The browser of the local machine: for WhatsApp, and for banks' own pages. What drives it finds files of its own beside it,
# and is here as packages.
FROM build AS browser-bundles
RUN node scripts/bundle.ts browser

FROM local AS browser
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium fonts-liberation \
 && rm -rf /var/lib/apt/lists/*
COPY --from=browser-bundles /build/dist/browser /app
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
 && rm -rf /var/lib/apt/lists/*
COPY --from=base /usr/local/bin/node /usr/local/bin/
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
# ssh and PostgreSQL want a name for the owner of the zone's files.
RUN { getent group "$COUNTERSIGN_GID" >/dev/null || groupadd --gid "$COUNTERSIGN_GID" countersign; } \
 && { getent passwd "$COUNTERSIGN_UID" >/dev/null \
 || useradd --uid "$COUNTERSIGN_UID" --gid "$COUNTERSIGN_GID" --home-dir /app --no-create-home --shell /bin/sh countersign; }
COPY deploy/container/healthcheck.sh deploy/container/countersign /usr/local/bin/
COPY --from=backup-bundles /build/dist/backup /app
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID
ENTRYPOINT ["node", "--max-semi-space-size=1", "--optimize-for-size", "--disable-warning=ExperimentalWarning"]
CMD ["/app/backup.mjs"]

FROM build AS hub-bundles
RUN node scripts/bundle.ts hub

FROM base AS hub
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends openssh-server \
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_*
COPY --from=hub-bundles /build/dist/hub /app
COPY services/hub/hub-shell services/hub/hub-watch deploy/container/hub /usr/local/bin/
COPY deploy/container/sshd_config /etc/countersign/
ARG COUNTERSIGN_UID=1000
ARG COUNTERSIGN_GID=1000
USER $COUNTERSIGN_UID:$COUNTERSIGN_GID
ENTRYPOINT ["hub"]
EXPOSE 2222
