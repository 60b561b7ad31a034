#!/usr/bin/env bash
# Gradescope runs this once, when the image is built: the course, its libraries with the CPU's torch, and a user that
# answers run as.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv python3-pip curl ca-certificates
python3 -m venv /opt/uv
/opt/uv/bin/pip install --quiet uv

# A Python of its own: that of the image may be older than the course needs.
export UV_PYTHON_INSTALL_DIR=/opt/python UV_TORCH_BACKEND=cpu
/opt/uv/bin/uv venv --python 3.12 /opt/course
cd /autograder/source/course
/opt/uv/bin/uv pip install --python /opt/course/bin/python -e ".[course]" -c constraints.txt

id student >/dev/null 2>&1 || useradd --create-home --shell /usr/sbin/nologin student
chmod -R go-w /autograder/source
