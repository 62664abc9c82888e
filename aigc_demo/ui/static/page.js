// Language and theme of the page, and what its widgets share. Runs before gradio draws anything.
(() => {
  const LANGUAGES = ['en', 'zh-CN', 'zh-TW'];
  const core = 'CORE_FILE';
  const tabNames = TAB_NAMES;  // of each tab, and of the menu behind them, in every language
  const pick = wish => {
    if (!wish) return null;
    if (/^zh-(hant|tw|hk|mo)/i.test(wish)) return 'zh-TW';
    if (/^zh/i.test(wish)) return 'zh-CN';
    return /^en/i.test(wish) ? 'en' : null;
  };
  const keep = language => {
    try { localStorage.setItem('aigc-lang', language); } catch (error) { /* storage is switched off */ }
    document.cookie = 'lang=' + language + ';path=' + new URL(document.baseURI).pathname + ';SameSite=Lax;max-age=31536000';
  };
  const kept = () => { try { return localStorage.getItem('aigc-lang'); } catch (error) { return null; } };
  const relabel = root => {
    const language = document.documentElement.lang;
    for (const node of root.querySelectorAll('[data-label-en]')) {
      node.setAttribute('aria-label', node.getAttribute('data-label-' + language.toLowerCase()));
    }
    for (const node of root.querySelectorAll('[data-language]')) {
      node.setAttribute('aria-pressed', String(node.dataset.language === language));
    }
  };
  // gradio translates the name of a tab where the tab has been opened, and only there.
  const named = (text, language) => tabNames.find(names => Object.values(names).includes(text.trim()))?.[language];
  const relabelTabs = () => {
    const language = document.documentElement.lang;
    for (const button of document.querySelector('[role=tablist]')?.parentElement.querySelectorAll('*') || []) {
      const text = button.childNodes.length === 1 && button.firstChild.nodeType === Node.TEXT_NODE && button.firstChild;
      const name = text && named(text.data, language), spoken = named(button.getAttribute('aria-label') || '', language);
      if (name && text.data !== name) text.data = name;
      if (spoken && button.getAttribute('aria-label') !== spoken) button.setAttribute('aria-label', spoken);
    }
  };
  const watchTabs = () => {
    const bar = document.querySelector('[role=tablist]')?.parentElement;
    if (!bar) return requestAnimationFrame(watchTabs);
    new MutationObserver(relabelTabs).observe(bar, {childList: true, characterData: true, subtree: true});
    relabelTabs();
  };
  const changeLanguageOfGradio = async language => {
    if (!core || language !== wanted) return;  // another switch was pressed meanwhile
    const {changeLocale} = await import(new URL('./assets/' + core, document.baseURI));
    await changeLocale(language);
    document.documentElement.lang = wanted;
    relabelTabs();
    window.dispatchEvent(new Event('resize'));  // the tabs are as wide as their names
  };
  let wanted = 'en', switching = Promise.resolve();
  const setLanguage = wish => {
    wanted = LANGUAGES.includes(wish) ? wish : 'en';
    keep(wanted);
    document.documentElement.lang = wanted;
    relabel(document);
    const language = wanted;
    // One after the other: of two at once the slower one would have the last word.
    switching = switching.then(() => changeLanguageOfGradio(language)).catch(error => console.error(error));
    return switching;
  };
  const switchLanguage = language => {
    if (core) return setLanguage(language);
    keep(language);
    const address = new URL(location.href);
    address.searchParams.set('lang', language);
    location.assign(address);
  };
  const switchTheme = () => {
    const address = new URL(location.href);
    address.searchParams.set('__theme', document.body.classList.contains('dark') ? 'light' : 'dark');
    location.assign(address);
  };
  // Words in every language, of which the style sheet shows one. Text only: nothing is read as HTML.
  const say = (node, words) => {
    node.replaceChildren(...LANGUAGES.map(language => {
      const part = document.createElement('span');
      part.lang = language;
      part.className = 'l10n';
      part.textContent = typeof words === 'string' ? words : words[language];
      return part;
    }));
    return node;
  };
  const label = (node, words) => {
    for (const language of LANGUAGES) node.setAttribute('data-label-' + language.toLowerCase(), words[language]);
    node.setAttribute('aria-label', words[document.documentElement.lang] || words.en);
    return node;
  };
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  // Small images, enlarged by whole pixels; words say in all languages what they are.
  const image = (address, words) => {
    const part = make('img', 'small-image');
    part.src = address;
    part.alt = words[document.documentElement.lang] || words.en;
    return part;
  };
  window.aigc = {image, say, label, make, relabel, switchLanguage, switchTheme};
  const wished = pick(new URLSearchParams(location.search).get('lang')) || pick(kept())
    || navigator.languages.map(pick).find(Boolean) || 'en';
  setLanguage(wished);
  watchTabs();
})();
