// One film at a time in one video element: HLS by hls.js, or by the browser itself where it has no media source.
const CODEC = "This browser cannot play what the camera sends. Another browser may, and a saved clip opens in a player.";
const STALLED = "The film does not come: is MarengoCam reached, and does the camera record?";

let playing = null; // hls.js's player, or null
let started = 0; // films so far: what an earlier one still says must not count

async function library() {
  const { default: Hls } = await import("./hls.light.min.js");
  return Hls.isSupported() ? Hls : null;
}

/** Play a playlist from its address; `failed` is called with a sentence when it cannot go on. */
export async function play(video, address, { live, failed }) {
  stop(video);
  const mine = started;
  const Hls = await library();
  if (mine !== started) return;
  if (!Hls) {
    video.onerror = () => failed(video.error?.code === MediaError.MEDIA_ERR_NETWORK ? STALLED : CODEC);
    video.src = address;
  } else {
    // The policy of this page allows no worker from a blob; segments of MP4 need none.
    playing = new Hls({ enableWorker: false, backBufferLength: 60, ...(live ? { lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.1 } : { startPosition: 0 }) });
    playing.on(Hls.Events.ERROR, (_name, { fatal, type }) => {
      if (!fatal || mine !== started) return;
      stop(video);
      failed(type === Hls.ErrorTypes.NETWORK_ERROR ? STALLED : CODEC);
    });
    playing.loadSource(address);
    playing.attachMedia(video);
  }
  video.play().catch(() => {}); // a browser that wants to be asked shows its own button
}

/** Return when what is shown was recorded, in milliseconds; null: not known yet. */
export function moment(video) {
  const began = playing ? playing.playingDate?.getTime() : video.getStartDate?.().getTime() + 1000 * video.currentTime;
  return Number.isFinite(began) ? began : null;
}

export function stop(video) {
  started += 1;
  playing?.destroy();
  playing = null;
  video.onerror = null;
  video.removeAttribute("src");
  video.load();
}
