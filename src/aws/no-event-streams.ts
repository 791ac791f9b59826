// Stands in the bundle (build.ts) for the SDK's event streams, which neither STS nor IAM has: what they share with the
// rest would be loaded with every request, and zlib with it.
const missing = (): never => {
  throw new Error('there are no event streams');
};

export const EventStreamSerde = missing;
export const eventStreamSerdeProvider = missing;
