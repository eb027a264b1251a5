const again = async (address) => {
  // A sign-in that has ended leads elsewhere, and what went wrong is no page to show.
  const answer = await fetch(address || location, {redirect: 'error', headers: {'Usher-Live': '1'}});
  if (!answer.ok) throw new Error(answer.status);
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
};
const waits = document.querySelector('[data-looks-again]');
if (waits) {
  const look = async () => {
    try {
      const now = (await again()).querySelector('[data-looks-again]');
      if (now?.dataset.looksAgain !== waits.dataset.looksAgain) return location.reload();
    } catch { /* It looks again later. */ }
    setTimeout(look, waits.dataset.looksAgain * 1000);
  };
  setTimeout(look, waits.dataset.looksAgain * 1000);
}
const lookAgain = async () => {
  try {
    if (document.hidden) return;
    const now = await again();
    for (const part of document.querySelectorAll('[data-refresh][id]')) {
      const other = now.getElementById(part.id);
      // What somebody is at stays.
      if (other && !part.contains(document.activeElement) && other.innerHTML !== part.innerHTML) part.replaceWith(other);
    }
  } catch { /* It looks again later: the server may be starting anew. */ }
};
const live = document.querySelector('[data-refresh][id]');
if (live) {
  // Other servers' changes are found by the clock alone.
  const follow = async () => {
    await lookAgain();
    const still = document.querySelector('[data-refresh][id]');
    if (still) setTimeout(follow, still.dataset.refresh * 1000);
  };
  setTimeout(follow, live.dataset.refresh * 1000);
  let events, due;
  // A page that nobody sees holds no connection: a browser has six for a site.
  const listen = () => {
    events?.close();
    events = null;
    if (document.hidden) return;
    events = new EventSource(live.dataset.events);
    events.onmessage = () => due ??= setTimeout(() => { due = null; lookAgain(); }, 2000);
  };
  if (live.dataset.events) {
    listen();
    document.addEventListener('visibilitychange', () => { listen(); lookAgain(); });
  }
}
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
    const left = begins - Date.now(), minutes = left > 0 ? Math.max(1, Math.floor(left / 60000)) : 0;
    // A browser whose clock is ahead does not ask again and again.
    if (minutes <= 0) { if (counted) location.reload(); return; }
    counted = true;
    const hours = Math.floor(minutes / 60), rest = minutes % 60;
    const parts = (hours ? [part(hours, 'hour')] : []).concat(rest ? [part(rest, 'minute')] : []);
    wait.textContent = wait.dataset.words.replace('{duration}', () => new Intl.ListFormat(language, {type: 'unit'}).format(parts));
    setTimeout(show, (left > 60000 ? left - minutes * 60000 : left) + 500);
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
  const here = (Intl.DateTimeFormat().resolvedOptions().timeZone || '').replaceAll('_', ' ');
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
  try { if (!here || show(here) === show(zone.dataset.zone)) continue; } catch { continue; }
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
        const found = (await again(address)).getElementById(form.dataset.live);
        if (mine !== last || !found) return;
        document.getElementById(form.dataset.live).replaceWith(found);
        history.replaceState(null, '', address);
      } catch { /* The button still searches. */ }
    }, 250);
  });
}
