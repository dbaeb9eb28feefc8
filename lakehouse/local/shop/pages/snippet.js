// Calls before the SDK is loaded wait in an array, from which it takes them: the contract of analytics.js.
var analytics = (window.analytics = []);
for (const call of ["identify", "page", "track", "reset"]) {
  analytics[call] = (...said) => analytics.push([call, ...said]);
}
analytics._writeKey = SHOP.writeKey;
analytics._cdn = SHOP.collector; // where it asks for its settings
analytics._loadOptions = {
  integrations: { "Segment.io": { apiHost: SHOP.collector.replace(/^https?:\/\//, "") + "/v1", protocol: "http" } },
};
