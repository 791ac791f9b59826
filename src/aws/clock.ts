import type { NodeHttpHandler } from '@smithy/node-http-handler';

/** Lets a handler tell AWS's time, in milliseconds since the epoch, at each answer that is AWS's own; returns it. */
export const reportDates = (handler: NodeHttpHandler, onDate: (date: number) => void): NodeHttpHandler => {
  const handle = handler.handle.bind(handler);
  handler.handle = async (...request) => {
    const answer = await handle(...request);
    const { headers } = answer.response;
    const date = Date.parse(headers['date'] ?? '');
    // a captive portal has a clock, too
    if (headers['x-amzn-requestid'] !== undefined && !Number.isNaN(date)) onDate(date);
    return answer;
  };
  return handler;
};
