/** For browsers that know no modules: says so, in words they understand. */
document.addEventListener("DOMContentLoaded", function () {
  document.body.appendChild(document.createTextNode("此浏览器太旧，请更新。This browser is too old; please update: Chromium 94, Firefox 93, Safari 16.4."));
});
