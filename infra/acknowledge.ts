import { Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** Lets one finding of cdk-nag stand, for a reason. `RULE[FINDING]` names one of several findings of a rule. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason })
}
