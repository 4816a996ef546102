// Questions to a page, asked inside it. Each is a function on its own, for it is sent there as text.

/** The element that has the focus, as a person sees it; null when none has. */
export function focused() {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const box = element.getBoundingClientRect();
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const behind = getComputedStyle(document.body).backgroundColor;
  return {
    name: element.id || element.textContent.trim(),
    // A line around it that is not of the page's own colour.
    marked: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && outlineColor !== behind,
    // On the screen, and nothing over it.
    seen: box.width > 0 && box.height > 0 && middle !== null && (element.contains(middle) || middle.contains(element)),
  };
}

/** Everything that somebody with a mouse could use, in the page's order. */
export function controls() {
  const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [onclick], [role=button]');
  const usable = [...all].filter((element) => !element.disabled && element.getClientRects().length > 0);
  return usable.map((element) => element.id || element.textContent.trim());
}

/** What reaches beyond the page's right or left edge, or would make it scroll sideways. */
export function outside() {
  const { clientWidth, scrollWidth } = document.documentElement;
  const out = [...document.body.querySelectorAll('*')].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    const hidden = element.closest('.skip, thead') !== null;
    return !hidden && width > 0 && (right > clientWidth + 0.5 || left < -0.5);
  });
  const found = out.map((element) => `<${element.localName} class="${element.className.baseVal ?? element.className}">`);
  return scrollWidth > clientWidth ? [`${scrollWidth} of ${clientWidth} pixels`, ...found] : found;
}
