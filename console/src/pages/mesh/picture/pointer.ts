// Mouse, pen and fingers on the picture: drag to pan, wheel or two fingers to zoom, a click to open.
import type { Picture } from './picture';

const click_px = 5; // less movement is a click

interface Finger {
  x: number;
  y: number;
}

export function follow_pointer(canvas: HTMLCanvasElement, picture: Picture, open: (node_id: string) => void): () => void {
  const fingers = new Map<number, Finger>();
  let travelled = 0;

  const at = (event: PointerEvent | WheelEvent): Finger => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (fingers.size === 0) travelled = 0;
    fingers.set(event.pointerId, at(event));
  };

  const move = (event: PointerEvent) => {
    const here = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      const disc = picture.at(here.x, here.y);
      canvas.style.cursor = disc ? 'pointer' : '';
      picture.hover(disc?.id ?? '');
      return;
    }
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, finger]) => finger);
    fingers.set(event.pointerId, here);
    travelled += Math.hypot(here.x - before.x, here.y - before.y);
    if (travelled < click_px) return;
    picture.hover('');
    const [other] = others;
    const by = other ? 0.5 : 1; // two fingers: each moves the middle by half
    picture.pan((here.x - before.x) * by, (here.y - before.y) * by);
    if (!other) return;
    const apart = Math.hypot(here.x - other.x, here.y - other.y);
    const was_apart = Math.hypot(before.x - other.x, before.y - other.y);
    if (was_apart > 0) picture.zoom(apart / was_apart, (here.x + other.x) / 2, (here.y + other.y) / 2);
  };

  const up = (event: PointerEvent) => {
    const was_click = fingers.delete(event.pointerId) && fingers.size === 0 && travelled < click_px && event.type === 'pointerup';
    if (!was_click) return;
    const { x, y } = at(event);
    const disc = picture.at(x, y, event.pointerType === 'touch' ? 14 : 6);
    if (disc) open(disc.id);
  };

  const leave = () => picture.hover('');

  // Where there is nothing to zoom out to, or the page has been scrolled, the wheel is the page's.
  const wheel = (event: WheelEvent) => {
    const scrolled = (document.getElementById('main')?.scrollTop ?? 0) > 0;
    if (!event.ctrlKey && (event.deltaY > 0 ? picture.is_fitted() : scrolled)) return;
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    const { x, y } = at(event);
    picture.zoom(Math.exp(-Math.max(-240, Math.min(240, pixels)) * (event.ctrlKey ? 0.008 : 0.0022)), x, y);
  };

  canvas.addEventListener('pointerdown', down);
  canvas.addEventListener('pointermove', move);
  canvas.addEventListener('pointerup', up);
  canvas.addEventListener('pointercancel', up);
  canvas.addEventListener('pointerleave', leave);
  canvas.addEventListener('wheel', wheel, { passive: false });
  return () => {
    canvas.removeEventListener('pointerdown', down);
    canvas.removeEventListener('pointermove', move);
    canvas.removeEventListener('pointerup', up);
    canvas.removeEventListener('pointercancel', up);
    canvas.removeEventListener('pointerleave', leave);
    canvas.removeEventListener('wheel', wheel);
  };
}
