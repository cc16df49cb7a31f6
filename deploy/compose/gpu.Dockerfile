# The services' image with PyTorch on CUDA and ultralytics. Several GB: built on the machine that has the card.
ARG SERVICES=ghcr.io/marengocam/marengocam-services:latest
FROM ${SERVICES}
USER root
# ultralytics asks for OpenCV with windows, whose libraries a container lacks; ours without them is there already. So its own
# needs are named here. pip goes again.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip \
 && python3 -m pip --python /opt/marengocam/bin/python install --quiet --no-cache-dir \
      "torch>=2.5" "torchvision>=0.20" matplotlib pillow psutil polars pyyaml requests scipy \
 && python3 -m pip --python /opt/marengocam/bin/python install --quiet --no-cache-dir --no-deps "ultralytics>=8.4,<9" ultralytics-thop \
 && apt-get purge -y -qq --auto-remove python3-pip \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt
ENV YOLO_AUTOINSTALL=false YOLO_OFFLINE=true
USER marengocam
