# One recipe for every process of the studio; SERVICE names the one (a folder of services/):
#
#     docker build --build-arg SERVICE=datasets --tag fine-tuning-studio/datasets .
#
# Layers from the bottom: the third-party packages that every service stands on (one layer, shared by
# all images), those of the service alone, our own code. A change of our code rebuilds the last only.
# Only the workbench gets torch, in a second environment: its jobs run there, it does not.
#
# No instruction here needs more than the classic Dockerfile syntax and cache mounts, so that podman
# builds it as well.
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm


FROM ${PYTHON_IMAGE} AS python
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONUNBUFFERED=1


# Wheels of our own packages, and the lists of what each of them needs.
FROM python AS wheels
WORKDIR /src
RUN python -m venv /opt/venv
COPY requirements/ requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/pip install --constraint requirements/build.txt hatchling
COPY .gitignore ./
COPY containers/ containers/
COPY shared/ shared/
COPY services/ services/
RUN /opt/venv/bin/python containers/closure.py /lists \
 && /opt/venv/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels shared/*/ services/*/


# Our own code as it will lie in the image; installed under the paths that it will have there, so that
# the shebang lines of commands are right. pip compiles the bytecode, as the image is not writable.
FROM wheels AS own
ARG SERVICE
RUN test -n "$SERVICE" || { echo "--build-arg SERVICE=<folder of services/> is missing"; exit 1; }
RUN /opt/venv/bin/pip install --no-index --find-links /wheels --no-deps --ignore-installed \
        --prefix /own/opt/venv --requirement /lists/${SERVICE}/own.txt
RUN if [ "$SERVICE" = workbench ]; then \
        python -m venv --without-pip /opt/trainer \
     && pip --python /opt/trainer/bin/python install --no-index --find-links /wheels --no-deps \
            --prefix /own/opt/trainer --requirement /lists/trainer/own.txt; \
    fi


FROM python AS foundation
# The mount points belong to the user: a new named volume takes its owner from here.
RUN groupadd --gid 10001 studio \
 && useradd --uid 10001 --gid studio --home-dir /var/lib/studio --shell /usr/sbin/nologin studio \
 && install --directory --owner studio --group studio --mode 0750 \
        /var/lib/studio /var/lib/workspace-key /project
WORKDIR /opt/requirements
COPY requirements/services.txt ./
COPY --from=wheels /lists/chassis/third-party.txt foundation.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --constraint services.txt --requirement foundation.txt


FROM foundation
ARG SERVICE
# Where torch comes from in place of the package index, whose build for CUDA weighs several GB.
ARG TORCH_INDEX_URL
COPY requirements/trainer.txt ./
COPY --from=wheels /lists/trainer/third-party.txt trainer-packages.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    if [ "$SERVICE" = workbench ]; then \
        python -m venv --without-pip /opt/trainer \
     && pip --python /opt/trainer/bin/python install --constraint trainer.txt \
            ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} \
            --requirement trainer-packages.txt; \
    fi
COPY --from=wheels /lists/${SERVICE}/third-party.txt service-packages.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --constraint services.txt \
        --requirement service-packages.txt
COPY --from=own /own/ /

ENV PATH=/opt/venv/bin:$PATH \
    FTS_HOME=/var/lib/studio \
    FTS_PROJECT_DIR=/project \
    SERVICE=${SERVICE}
USER studio
WORKDIR /project
ENTRYPOINT ["sh", "-c", "exec python -m services.$SERVICE"]
