import { toKeyId, toName, toNewKey } from './answers.ts';
import type { KeyMetadata, LastUsed, MfaDevice, NewKey } from './answers.ts';
import type { Sender } from './sender.ts';

/** The calls of IAM. Each raises UserError. */
export const iamCalls = ({ iam, whole }: Sender) => ({
  /** All MFA devices of a user, whatever the pages. */
  listMfaDevices: async (userName: string): Promise<MfaDevice[]> => {
    const devices = await allPages(async (marker) => {
      const input = { UserName: userName, ...marker };
      const answer = await iam('repeatable', (sdk, client, limit) =>
        client.send(new sdk.ListMFADevicesCommand(input), limit),
      );
      const entries = answer.MFADevices?.map(({ SerialNumber, UserName }) => ({
        id: whole('iam', toName(SerialNumber)),
        userName: UserName ?? userName,
      }));
      return { ...answer, entries };
    });
    return whole('iam', devices).map(({ id, ...rest }) => ({ serialNumber: id, ...rest }));
  },

  /** All access keys of a user, active or not. */
  listAccessKeys: async (userName: string): Promise<KeyMetadata[]> => {
    const keys = await allPages(async (marker) => {
      const input = { UserName: userName, ...marker };
      const answer = await iam('repeatable', (sdk, client, limit) =>
        client.send(new sdk.ListAccessKeysCommand(input), limit),
      );
      const entries = answer.AccessKeyMetadata?.map(({ AccessKeyId, Status = 'Active', CreateDate }) => ({
        id: whole('iam', toKeyId(AccessKeyId)),
        status: Status,
        createDate: CreateDate,
      }));
      return { ...answer, entries };
    });
    return whole('iam', keys).map(({ id, ...rest }) => ({ accessKeyId: id, ...rest }));
  },

  /** A new access key, asked for exactly once: a repeated request could make a second one. */
  createAccessKey: async (userName: string): Promise<NewKey> => {
    const answer = await iam('once', (sdk, client, limit) =>
      client.send(new sdk.CreateAccessKeyCommand({ UserName: userName }), limit),
    );
    return whole('iam', toNewKey(answer.AccessKey));
  },

  updateAccessKey: async (
    userName: string,
    accessKeyId: string,
    status: 'Active' | 'Inactive',
  ): Promise<void> => {
    const input = { UserName: userName, AccessKeyId: accessKeyId, Status: status };
    const answer = await iam('repeatable', (sdk, client, limit) =>
      client.send(new sdk.UpdateAccessKeyCommand(input), limit),
    );
    whole('iam', answer.$metadata.requestId);
  },

  deleteAccessKey: async (userName: string, accessKeyId: string): Promise<void> => {
    const input = { UserName: userName, AccessKeyId: accessKeyId };
    const answer = await iam('repeatable', (sdk, client, limit) =>
      client.send(new sdk.DeleteAccessKeyCommand(input), limit),
    );
    whole('iam', answer.$metadata.requestId);
  },

  getAccessKeyLastUsed: async (accessKeyId: string): Promise<LastUsed> => {
    const input = { AccessKeyId: accessKeyId };
    const answer = await iam('repeatable', (sdk, client, limit) =>
      client.send(new sdk.GetAccessKeyLastUsedCommand(input), limit),
    );
    const { LastUsedDate, ServiceName = 'N/A', Region = 'N/A' } = answer.AccessKeyLastUsed ?? {};
    return { date: LastUsedDate, serviceName: ServiceName, region: Region };
  },
});

type Page<Entry> = {
  readonly entries: readonly Entry[] | undefined;
  readonly IsTruncated?: boolean | undefined;
  readonly Marker?: string | undefined;
};

/**
 * Every entry of a list; undefined when there is none that is whole: a page that holds no list, one that brings no new
 * entry and still names another page, or no end after 100 pages. Half a list is none, since a rotation counts the keys
 * in it. The SDK's paginators know only the second of these limits, and have one time limit for all pages.
 */
const allPages = async <Entry extends { readonly id: string }>(
  fetchPage: (marker: { Marker?: string }) => Promise<Page<Entry>>,
): Promise<Entry[] | undefined> => {
  const all = new Map<string, Entry>();
  let next: { Marker?: string } = {};
  for (let pages = 0; pages < 100; pages += 1) {
    const { entries, IsTruncated, Marker } = await fetchPage(next);
    if (entries === undefined && IsTruncated === undefined) return undefined;
    const before = all.size;
    for (const entry of entries ?? []) all.set(entry.id, entry);
    if (IsTruncated !== true || Marker === undefined) return [...all.values()];
    if (all.size === before) return undefined;
    next = { Marker };
  }
  return undefined;
};
