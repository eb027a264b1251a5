const offer = (place, text, said, done, label) => {
  const button = document.createElement('button');
  button.type = 'button'; button.className = 'copy'; button.textContent = said;
  if (label) button.setAttribute('aria-label', said + ': ' + label);
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(text); button.textContent = done; }
    catch { getSelection().selectAllChildren(place); }
  };
  place.after(' ', button);
};
for (const code of document.querySelectorAll('code[data-copy]')) offer(code, code.dataset.value || code.textContent, code.dataset.copy, code.dataset.copied, code.dataset.what);
for (const all of document.querySelectorAll('[data-copy-all]')) offer(all, all.dataset.text, all.dataset.copyAll, all.dataset.copied);
for (const wait of document.querySelectorAll('[data-begins]')) {
  const begins = new Date(wait.dataset.begins), language = document.documentElement.lang;
  const part = (value, unit) => new Intl.NumberFormat(language, {style: 'unit', unit, unitDisplay: 'long'}).format(value);
  let counted = false;
  const show = () => {
    const minutes = Math.ceil((begins - Date.now()) / 60000);
    // A browser whose clock is ahead does not ask again and again.
    if (minutes <= 0) { if (counted) location.reload(); return; }
    counted = true;
    const hours = Math.floor(minutes / 60), rest = minutes % 60;
    const parts = (hours ? [part(hours, 'hour')] : []).concat(rest ? [part(rest, 'minute')] : []);
    wait.textContent = wait.dataset.words.replace('{duration}', () => new Intl.ListFormat(language, {type: 'unit'}).format(parts));
    setTimeout(show, begins - Date.now() - (minutes - 1) * 60000 + 500);
  };
  show();
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
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll('_', ' ');
  if (here !== own.value && [...own.options].some((option) => option.value === here)) {
    const address = new URL(location);
    address.searchParams.set('timeZone', here);
    location.replace(address);
  }
}
for (const zone of document.querySelectorAll('[data-start]')) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone, start = new Date(zone.dataset.start), end = new Date(zone.dataset.end);
  const show = (timeZone) => new Intl.DateTimeFormat(document.documentElement.lang, {dateStyle: 'full', timeStyle: 'short', timeZone}).formatRange(start, end);
  // Another name of the same time is nothing to tell.
  if (!here || show(here) === show(zone.dataset.zone)) continue;
  const line = document.createElement('p');
  line.className = 'quiet';
  line.textContent = zone.dataset.here.replace('{time}', () => show(here)).replace('{zone}', () => here);
  zone.after(line);
}
for (const form of document.querySelectorAll('form[data-live]')) {
  let timer, last = 0;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const address = form.action + '?' + new URLSearchParams(new FormData(form)), mine = ++last;
      try {
        const answer = await fetch(address);
        const found = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(form.dataset.live);
        if (mine !== last || !answer.ok || !found) return;
        document.getElementById(form.dataset.live).replaceWith(found);
        history.replaceState(null, '', address);
      } catch { /* The button still searches. */ }
    }, 250);
  });
}
const again = async () => new DOMParser().parseFromString(await (await fetch(location)).text(), 'text/html');
const waits = document.querySelector('[data-looks-again]');
if (waits) setInterval(async () => {
  try { if (!(await again()).querySelector('[data-looks-again]')) location.reload(); } catch { /* It looks again later. */ }
}, waits.dataset.looksAgain * 1000);
const live = document.querySelector('[data-refresh]');
if (live) setInterval(async () => {
  if (document.hidden) return;
  try {
    const now = await again();
    for (const part of document.querySelectorAll('[data-refresh][id]')) {
      const other = now.getElementById(part.id);
      // What somebody is at stays.
      if (other && !part.contains(document.activeElement) && other.innerHTML !== part.innerHTML) part.replaceWith(other);
    }
  } catch { /* It looks again later. */ }
}, live.dataset.refresh * 1000);
