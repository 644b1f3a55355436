# One image for the web server and the workers; compose.yml says what each process runs.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/heimdex

# A layer around decoders, where the container may create user namespaces.
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*

# Set this to PyTorch's index of CPU builds to save some GB on a host without a GPU.
ARG PIP_EXTRA_INDEX_URL=""
COPY requirements/torch.txt requirements/torch-pypi.txt requirements/worker.txt requirements/
RUN if [ -n "$PIP_EXTRA_INDEX_URL" ]; then pip install -r requirements/torch.txt; \
    else pip install --no-deps --require-hashes -r requirements/torch-pypi.txt; fi \
    && pip install --no-deps --require-hashes -r requirements/worker.txt

COPY manage.py pyproject.toml LICENSE ./
COPY heimdex heimdex
COPY videos videos
COPY people people
COPY reprocess reprocess

# Holds scratch files only: all persistent data is in PostgreSQL and S3.
ENV HEIMDEX_HOME=/var/lib/heimdex
RUN useradd --system --home-dir "$HEIMDEX_HOME" --create-home heimdex
USER heimdex
VOLUME /var/lib/heimdex

EXPOSE 8000
CMD ["gunicorn", "heimdex.asgi", "--bind", "0.0.0.0:8000", "--config", "python:heimdex.services.gunicorn_hooks", "--worker-tmp-dir", "/dev/shm"]
