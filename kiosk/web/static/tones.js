// Four tones, made and not played from files: rising, level, falling, one short tick. Quiet enough for a gate at seven.

const SHAPES = {
  rise: [[660, 0, 0.11], [990, 0.12, 0.2]],
  level: [[587, 0, 0.14], [587, 0.2, 0.14]],
  fall: [[440, 0, 0.16], [247, 0.18, 0.3]],
  tick: [[1175, 0, 0.05]],
};
const LOUD = 0.22;
const LATE_MS = 200;

let audio = null;

export async function play(tone) {
  const shape = SHAPES[tone];
  if (!shape || !window.AudioContext) return;
  audio ??= new AudioContext();
  // A browser that was not started for a kiosk stays silent until somebody touches it; a tone is never played late.
  if (audio.state === "suspended") await Promise.race([audio.resume().catch(() => {}), new Promise((done) => setTimeout(done, LATE_MS))]);
  if (audio.state !== "running") return;
  for (const [hertz, after, lasts] of shape) note(hertz, audio.currentTime + after, lasts);
}

function note(hertz, at, lasts) {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.type = "triangle";
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUD, at + 0.01);
  gain.gain.exponentialRampToValueAtTime(0.001, at + lasts);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + lasts + 0.02);
}
