# Where things are: sourced by the scripts beside it.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=$ROOT/.venv
CACHE=${MARENGOCAM_CACHE:-}
if [ -z "$CACHE" ]; then
  # Root's own cache is closed to the database's account, so root uses a folder that every account may enter.
  if [ "$(id -u)" = 0 ]; then CACHE=/var/cache/marengocam; else CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/marengocam; fi
fi
export MARENGOCAM_CACHE=$CACHE
if [ -d "$ROOT/../shared" ]; then
  export MARENGOCAM_MODELS=${MARENGOCAM_MODELS-$ROOT/../shared/models}
  export MARENGOCAM_FOOTAGE=${MARENGOCAM_FOOTAGE-$ROOT/../shared/footage}
  export MARENGOCAM_FACES=${MARENGOCAM_FACES-$ROOT/../shared/faces}
fi
if [ -n "${MARENGOCAM_MODELS:-}" ]; then export MARENGOCAM_MODELS_DIR=$MARENGOCAM_MODELS; fi
say() { printf '%s\n' "$*" >&2; }
