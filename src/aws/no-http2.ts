// Stands for Node's http2 in the bundle (build.ts): the SDK's handler for it, which we never take, lies in one file with
// the one that we do, and would load it at every start.
export const constants = {};
