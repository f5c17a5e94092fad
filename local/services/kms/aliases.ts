import type * as SDK from '@aws-sdk/client-kms';
import { operations, refuse } from '../../world/service.ts';
import { paged } from './paging.ts';
import type { KmsState } from './state.ts';

const NAME = /^alias\/[a-zA-Z0-9/_-]+$/;

function refuseReserved(name: string): void {
  if (name.startsWith('alias/aws/')) refuse('NotAuthorizedException', `${name} is reserved for AWS managed keys.`);
}

export const aliases = operations<typeof SDK, KmsState>()({
  CreateAlias({ AliasName = '', TargetKeyId }, { state, now }) {
    if (!NAME.test(AliasName) || AliasName.startsWith('alias/aws/'))
      refuse('InvalidAliasNameException', 'Alias must start with alias/ and may not start with alias/aws/.');
    if (state.aliases.has(AliasName))
      refuse('AlreadyExistsException', `An alias with the name ${state.arn('alias', AliasName)} already exists`);
    const target = state.find(TargetKeyId);
    if (target.deletionDate) refuse('KMSInvalidStateException', `${target.arn} is pending deletion.`);
    state.aliases.set(AliasName, { target: target.id, createdAt: now(), updatedAt: now() });
    return {};
  },

  /** Only to a key of the same kind (KMS API, UpdateAlias). */
  UpdateAlias({ AliasName = '', TargetKeyId }, { state, now }) {
    refuseReserved(AliasName);
    const [was, is] = [state.find(AliasName), state.find(TargetKeyId)];
    if (was.usage !== is.usage || was.spec !== is.spec)
      refuse('ValidationException', `Alias ${AliasName} cannot go from a ${was.spec} key to a ${is.spec} key.`);
    Object.assign(state.aliases.get(AliasName)!, { target: is.id, updatedAt: now() });
    return {};
  },

  DeleteAlias({ AliasName = '' }, { state }) {
    refuseReserved(AliasName);
    if (!state.aliases.delete(AliasName)) refuse('NotFoundException', `Alias ${state.arn('alias', AliasName)} is not found.`);
    return {};
  },

  ListAliases({ KeyId, Limit = 50, Marker }, { state }) {
    const id = KeyId === undefined ? undefined : state.find(KeyId).id;
    const own = [...state.aliases].filter(([, { target }]) => id === undefined || target === id);
    const { page, ...next } = paged(own, Limit, Marker);
    return {
      Aliases: page.map(([AliasName, { target, createdAt, updatedAt }]) => ({
        AliasName,
        AliasArn: state.arn('alias', AliasName),
        TargetKeyId: target,
        CreationDate: createdAt,
        LastUpdatedDate: updatedAt,
      })),
      ...next,
    };
  },
});
