# The services' image with PyTorch on CUDA and ultralytics. 6.6 GB: built on the machine that has the card.
ARG SERVICES=ghcr.io/marengocam/marengocam-services:latest
FROM ${SERVICES}
USER root
# ultralytics asks for OpenCV with windows, whose libraries a container lacks; ours without them is there already. So all its
# other needs are named here (tests/compose/test_gpu_image.py compares them). pip goes again.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip \
 && python3 -m pip --python /opt/marengocam/bin/python install --quiet --no-cache-dir \
      "torch>=2.5" "torchvision>=0.20" matplotlib pillow psutil polars pyyaml requests nvidia-ml-py "httpx>=0.28,<1" \
 && python3 -m pip --python /opt/marengocam/bin/python install --quiet --no-cache-dir --no-deps "ultralytics>=8.4,<9" "ultralytics-thop>=2.2.3" "ultralytics-platform>=0.1.45" \
 && apt-get purge -y -qq --auto-remove python3-pip \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt
ENV YOLO_AUTOINSTALL=false YOLO_OFFLINE=true
USER marengocam
