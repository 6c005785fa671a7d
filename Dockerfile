# The image of web, worker, beat and one-off commands; docker-compose.yml shows each.

FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/base.txt

FROM python:3.11-slim-bookworm
# Text layout for PDF documents, and faces for what the documents' own one lacks: Chinese,
# Japanese and Korean in the first.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
        fonts-wqy-microhei fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home trunkline
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/tmp
WORKDIR /app
COPY . .
# The folder must be there first: it is how the settings know that files carry digests.
# Neither address nor key is used; a command just does not start without them.
RUN mkdir staticfiles \
    && DATABASE_URL=postgresql://none/none \
       SECRET_KEY=only-for-collecting-static-files-while-the-image-is-built \
       python manage.py collectstatic --no-input \
    && python -m compileall -q manage.py portal customers billing rateplans
USER trunkline
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "--no-ws", "portal.wsgi:application"]
