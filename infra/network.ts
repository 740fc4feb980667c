/** A network whose calls leave from one address, for API keys that are restricted to addresses. */
import { RemovalPolicy, type Stack } from 'aws-cdk-lib'
import {
  CfnEIP,
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type IVpc,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { acknowledge } from './acknowledge.ts'
import type { StackSettings } from './settings.ts'
import type { Stage } from './stages.ts'

/** The stages that call a provider; `receive` does for a key that it does not know. */
const CALLING: readonly Stage[] = ['receive', 'archive', 'submit', 'snapshot', 'sweep']

export interface Network {
  readonly vpc: IVpc
  readonly securityGroup: SecurityGroup
  /** What the provider sees. */
  readonly address: string
}

export function addNetwork(stack: Stack, { stackName, logRetentionDays }: StackSettings): Network {
  const address = new CfnEIP(stack, 'Address', { domain: 'vpc' })
  const logGroup = new LogGroup(stack, 'NetworkLog', {
    logGroupName: `/${stackName}/network`,
    retention: logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const vpc = new Vpc(stack, 'Network', {
    maxAzs: 2,
    natGateways: 1,
    natGatewayProvider: NatProvider.gateway({ eipAllocationIds: [address.attrAllocationId] }),
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
      { name: 'functions', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
    ],
    gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    flowLogs: {
      Refused: {
        destination: FlowLogDestination.toCloudWatchLogs(logGroup),
        trafficType: FlowLogTrafficType.REJECT,
      },
    },
  }) as IVpc
  const securityGroup = new SecurityGroup(stack, 'Functions', {
    vpc,
    description: 'Functions of Daybook: nothing in, https out',
    allowAllOutbound: false,
  })
  securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'Providers and AWS, by TLS')
  return { vpc, securityGroup, address: address.attrPublicIp }
}

/** What a function needs to be in the network; nothing for those that call no provider. */
export function placeOf(stage: Stage, network: Network | undefined) {
  if (network === undefined || !CALLING.includes(stage)) return undefined
  return {
    vpc: network.vpc,
    vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    securityGroups: [network.securityGroup],
  }
}

/** Lambda makes its network interfaces with the function's role, and their names are not known before. */
export function letInterfaces(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      sid: 'Interfaces',
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
    }),
  )
  const reason =
    'Lambda asks for its network interfaces so, and what describes them can be granted no other way.'
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', reason)
}
