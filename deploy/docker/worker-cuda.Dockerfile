# A worker that makes pictures on NVIDIA GPUs, with the demo model.
#
#   docker build -f deploy/docker/worker-cuda.Dockerfile -t tessera-worker-cuda:0.1.0 \
#     --build-arg COMMIT=$(git rev-parse HEAD) .
#
# The driver's libcuda.so.1 comes from the machine, through NVIDIA's container
# toolkit.
ARG CUDA_IMAGE=nvidia/cuda:13.0.1-cudnn-devel-ubuntu22.04
FROM ${CUDA_IMAGE} AS cuda
# cuDNN and NCCL lie beside the toolkit; their names there are links.
RUN mkdir -p /gathered/include /gathered/lib64 && \
    cp -L $(find /usr/include -name 'cudnn*.h' -o -name nccl.h) /gathered/include/ && \
    cp -L $(find /usr/lib/x86_64-linux-gnu -name 'libcudnn*.so.9' -o -name 'libnccl.so*') /gathered/lib64/

FROM debian:12 AS build
COPY deploy/local/packages.sh /packages.sh
RUN bash -c '. /packages.sh && install_packages "${BUILD_PACKAGES[@]}"'
COPY --from=cuda /usr/local/cuda /usr/local/cuda
COPY --from=cuda /gathered/ /usr/local/cuda/
COPY . /source
ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64
RUN /source/deploy/docker/build.sh ON /root-of-image tessera-worker
# Opened at run time: cuDNN and what it opens, cuBLASLt, NCCL.
RUN lib=/usr/local/cuda/lib64 && /source/deploy/docker/make_root.sh /root-of-image \
      /source/build/image/bin/tessera-worker -- $lib/libcudnn*.so.9 $lib/libcublasLt.so.13 \
      $lib/libcublas.so.13 $lib/libnvrtc.so.13 $lib/libnvrtc-builtins.so.13.* $lib/libnccl.so.2
RUN install -d -o 65532 -g 65532 /volumes/output /volumes/cache

FROM scratch
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="tessera-worker-cuda" \
      org.opencontainers.image.description="A worker that makes pictures on NVIDIA GPUs, with the demo model." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=build /root-of-image /
COPY --from=build --chown=65532:65532 /volumes /
COPY deploy/local/models/emoji-sd /models/emoji-sd
# Where the driver's library may be put, by the machine's distribution.
ENV LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu:/usr/lib64
ENV PATH=/usr/bin NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 65532:65532
WORKDIR /cache
EXPOSE 9091
ENTRYPOINT ["/usr/bin/tessera-worker"]
CMD ["--models=/models", "--device=cuda:0", "--lora-cache=/cache", "--metrics-listen=0.0.0.0:9091"]
