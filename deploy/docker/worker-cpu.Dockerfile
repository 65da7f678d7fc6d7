# A worker that makes pictures on CPUs, with the demo model.
#
#   docker build -f deploy/docker/worker-cpu.Dockerfile -t tessera-worker-cpu:0.1.0 \
#     --build-arg COMMIT=$(git rev-parse HEAD) .
FROM debian:12 AS build
COPY deploy/local/packages.sh /packages.sh
RUN bash -c '. /packages.sh && install_packages "${BUILD_PACKAGES[@]}"'
COPY . /source
RUN /source/deploy/docker/build.sh OFF /root-of-image tessera-worker
RUN install -d -o 65532 -g 65532 /volumes/output /volumes/cache

FROM scratch
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="tessera-worker-cpu" \
      org.opencontainers.image.description="A worker that makes pictures on CPUs, with the demo model." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /root-of-image /
COPY --from=build --chown=65532:65532 /volumes /
COPY deploy/local/models/emoji-sd /models/emoji-sd
ENV PATH=/usr/bin
USER 65532:65532
WORKDIR /cache
EXPOSE 9091
ENTRYPOINT ["/usr/bin/tessera-worker"]
CMD ["--models=/models", "--device=cpu", "--lora-cache=/cache", "--metrics-listen=0.0.0.0:9091"]
