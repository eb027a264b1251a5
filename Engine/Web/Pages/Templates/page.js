for (const code of document.querySelectorAll('code[data-copy]')) {
  const button = document.createElement('button');
  button.type = 'button'; button.className = 'copy'; button.textContent = code.dataset.copy;
  button.setAttribute('aria-label', code.dataset.copy + ': ' + code.dataset.what);
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(code.textContent); button.textContent = code.dataset.copied; }
    catch { getSelection().selectAllChildren(code); }
  };
  code.after(' ', button);
}
if (parent !== window && document.referrer) {
  const key = 'usher-parent', here = location.origin, from = new URL(document.referrer).origin;
  let told = from;
  // A later page of the frame comes from here: the first one knew the site around it.
  try { if (from === here) told = sessionStorage.getItem(key) || here; else sessionStorage.setItem(key, from); } catch {}
  const tell = () => parent.postMessage({usherHeight: document.documentElement.scrollHeight}, told);
  tell(); new ResizeObserver(tell).observe(document.body);
}
const own = document.querySelector('select[data-own-zone]');
if (own && !new URLSearchParams(location.search).has('timeZone')) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (here && here !== own.value && [...own.options].some((option) => option.value === here)) {
    const address = new URL(location);
    address.searchParams.set('timeZone', here);
    location.replace(address);
  }
}
for (const zone of document.querySelectorAll('[data-start]')) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!here || here === zone.dataset.zone) continue;
  const show = new Intl.DateTimeFormat(document.documentElement.lang === 'en' ? undefined : document.documentElement.lang, {dateStyle: 'full', timeStyle: 'short'});
  const line = document.createElement('p');
  line.className = 'quiet';
  const time = show.formatRange(new Date(zone.dataset.start), new Date(zone.dataset.end));
  line.textContent = zone.dataset.here.replace('{time}', () => time).replace('{zone}', () => here);
  zone.after(line);
}
