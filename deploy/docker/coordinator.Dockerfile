# The coordinator, and the client that its tests use.
#
#   docker build -f deploy/docker/coordinator.Dockerfile -t tessera-coordinator:0.1.0 \
#     --build-arg COMMIT=$(git rev-parse HEAD) .
FROM debian:12 AS build
COPY deploy/local/packages.sh /packages.sh
RUN bash -c '. /packages.sh && install_packages "${BUILD_PACKAGES[@]}"'
COPY . /source
RUN /source/deploy/docker/build.sh OFF /root-of-image tessera-coordinator tessera
RUN install -d -o 65532 -g 65532 /volumes/data /volumes/output

FROM scratch
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="tessera-coordinator" \
      org.opencontainers.image.description="The coordinator, and the client that its tests use." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /root-of-image /
COPY --from=build --chown=65532:65532 /volumes /
ENV PATH=/usr/bin
USER 65532:65532
WORKDIR /data
EXPOSE 7070 9090
ENTRYPOINT ["/usr/bin/tessera-coordinator"]
CMD ["--data=/data", "--metrics-listen=0.0.0.0:9090"]
